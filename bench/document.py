"""Document: the live document as text, as a patch, and back."""

import json
from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Any

import orjson

from bench import tape
from bench.harness import Benchmark, Case, Contender, Goal, Scale
from ledger.snapshot import Document, apply, diff
from storage import text

_SIZES = {Scale.QUICK: 50, Scale.USUAL: 2_000, Scale.FULL: 20_000}
_EPOCH = "b1946ac92492d234"
_WHOLE_JSON, _WHOLE_ORJSON = "json.dumps of floats", "orjson of floats"


def prepare(scale: Scale) -> list[Case]:
    """Return three cases over neighbouring documents: encode one, send a move, follow it."""
    kept = tape.snapshots(_SIZES[scale])
    exact = [snapshot.document(_EPOCH, seq) for seq, snapshot in enumerate(kept, 1)]
    floats = [_floated(document) for document in exact]
    return [_encoding(exact, floats), _sending(exact, floats), _following(exact, floats)]


BENCHMARK = Benchmark("document", "What does exactness cost on the wire?", prepare)


def _encoding(exact: Sequence[Document], floats: Sequence[Any]) -> Case:
    return Case(
        title="encode the live document",
        operation="document",
        operations=len(exact),
        contenders=(
            Contender("storage.text.encode", lambda: [text.encode(d) for d in exact], _read_all),
            Contender(_WHOLE_JSON, lambda: _jsons(floats), _read_all),
            Contender(_WHOLE_ORJSON, lambda: [orjson.dumps(d) for d in floats], _read_all),
        ),
        goals=(Goal(1, _WHOLE_JSON),),
        note="Ours writes exact decimals; the peers get documents whose money is float already.",
    )


def _sending(exact: Sequence[Document], floats: Sequence[Any]) -> Case:
    deltas = _patches(exact)
    whole = [text.encode(document) for document in exact[1:]]
    return Case(
        title="turn a move into bytes: a merge patch, or the whole document again",
        operation="move",
        operations=len(exact) - 1,
        contenders=(
            Contender("diff and encode", lambda: _patches(exact), lambda p: _followed(exact, p)),
            Contender("encode, whole", lambda: [text.encode(d) for d in exact[1:]], _read_all),
            Contender(_WHOLE_JSON, lambda: _jsons(floats[1:]), _read_all),
            Contender(_WHOLE_ORJSON, lambda: [orjson.dumps(d) for d in floats[1:]], _read_all),
        ),
        goals=(Goal(50),),
        note=(
            "Done once a snapshot, whatever the number of clients: the goal is a thousandth of a "
            "message's 50 ms. "
            f"A patch is {_mean(deltas):.0f} bytes here, a whole document {_mean(whole):.0f}: "
            "every client is spared the difference."
        ),
    )


def _following(exact: Sequence[Document], floats: Sequence[Any]) -> Case:
    deltas = _patches(exact)
    whole = _jsons(floats[1:])
    return Case(
        title="follow a move: decode and apply the patch, or decode the whole document",
        operation="move",
        operations=len(exact) - 1,
        contenders=(
            Contender("decode and apply", lambda: _followed(exact, deltas), _written_exact),
            Contender("json.loads to floats", lambda: [*map(json.loads, whole)], _written_float),
            Contender("orjson to floats", lambda: [*map(orjson.loads, whole)], _written_float),
        ),
        note="No goal: what a client in Python does; the browser's reducer is another matter.",
    )


def _floated(value: Any) -> Any:  # noqa: ANN401 -- any JSON value
    if isinstance(value, dict):
        return {name: _floated(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_floated(member) for member in value]
    return float(value) if isinstance(value, Decimal) else value


def _jsons(documents: Sequence[Any]) -> list[bytes]:
    return [json.dumps(document, separators=(",", ":")).encode() for document in documents]


def _patches(exact: Sequence[Document]) -> list[bytes]:
    return [text.encode(diff(before, after)) for before, after in pairwise(exact)]


def _followed(exact: Sequence[Document], deltas: Sequence[bytes]) -> list[Document]:
    held, seen = exact[0], []
    for delta in deltas:
        held = apply(held, text.decode(delta))
        seen.append(held)
    return seen


def _read_all(texts: Sequence[bytes]) -> list[Any]:
    return [text.decode(each) for each in texts]


def _written_exact(documents: Sequence[Document]) -> list[Any]:
    return _read_all([text.encode(document) for document in documents])


def _written_float(documents: Sequence[Any]) -> list[Any]:
    return _read_all(_jsons(documents))


def _mean(texts: Sequence[bytes]) -> float:
    return sum(map(len, texts)) / len(texts)
