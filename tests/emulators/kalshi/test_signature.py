"""Who may read: both key types, the four refusals, the skew."""

import base64
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS
from cryptography.hazmat.primitives.hashes import SHA256

from tests.emulators.stage import RSA_KEY, Stage

PATH = "/trade-api/v2/portfolio/balance"


def ask(stage: Stage, headers: dict[str, str], path: str = PATH) -> tuple[int, Any]:
    answer = stage.session.get(stage.urls["kalshi"] + path, headers=headers, timeout=10)
    return answer.status_code, answer.json()


@pytest.mark.parametrize("ed25519", [False, True])
def test_both_kinds_of_key_open_the_account(stage: Stage, *, ed25519: bool) -> None:
    status, body = ask(stage, stage.signed(PATH, ed25519=ed25519))
    assert status == 200
    assert body["balance_dollars"]


def test_the_query_is_not_part_of_what_is_signed(stage: Stage) -> None:
    path = "/trade-api/v2/portfolio/fills"
    assert ask(stage, stage.signed(path), f"{path}?limit=1")[0] == 200
    assert ask(stage, stage.signed(f"{path}?limit=1"), f"{path}?limit=1")[0] == 401


@pytest.mark.parametrize("ed25519", [False, True])
@pytest.mark.parametrize("signed_path", ["/portfolio/balance", "/trade-api/v2/portfolio/fills"])
def test_a_signature_of_another_path_is_incorrect(
    stage: Stage, signed_path: str, *, ed25519: bool
) -> None:
    status, body = ask(stage, stage.signed(signed_path, ed25519=ed25519))
    details = "INCORRECT_API_KEY_SIGNATURE"
    name = "authentication_error"
    assert (status, body) == (401, {"error": {"code": name, "message": name, "details": details}})


def test_a_salt_of_another_length_is_incorrect(stage: Stage) -> None:
    headers = stage.signed(PATH)
    message = f"{headers['KALSHI-ACCESS-TIMESTAMP']}GET{PATH}".encode()
    padding = PSS(mgf=MGF1(SHA256()), salt_length=PSS.MAX_LENGTH)
    signature = base64.b64encode(RSA_KEY.sign(message, padding, SHA256())).decode()
    assert ask(stage, headers | {"KALSHI-ACCESS-SIGNATURE": signature})[0] == 401


def test_a_signature_that_is_no_base64_is_incorrect(stage: Stage) -> None:
    headers = stage.signed(PATH) | {"KALSHI-ACCESS-SIGNATURE": "never"}
    assert ask(stage, headers)[1]["error"]["details"] == "INCORRECT_API_KEY_SIGNATURE"


def test_an_unknown_key_is_not_found(stage: Stage) -> None:
    status, body = ask(stage, stage.signed(PATH) | {"KALSHI-ACCESS-KEY": "nobody"})
    name = "authentication_error"
    expected = {"error": {"code": name, "message": name, "details": "NOT_FOUND"}}
    assert (status, body) == (401, expected)


@pytest.mark.parametrize("missing", ["KEY", "TIMESTAMP", "SIGNATURE"])
def test_a_missing_header_is_named_as_a_missing_signature(stage: Stage, missing: str) -> None:
    headers = stage.signed(PATH)
    del headers[f"KALSHI-ACCESS-{missing}"]
    message = "signature is missing from headers"
    code = "signature_is_missing_from_headers"
    assert ask(stage, headers) == (401, {"error": {"code": code, "message": message}})


@pytest.mark.parametrize("skew_ms", [-5_000, 5_000])
def test_five_seconds_of_skew_are_forgiven(stage: Stage, skew_ms: int) -> None:
    assert ask(stage, stage.signed(PATH, skew_ms=skew_ms))[0] == 200


@pytest.mark.parametrize("skew_ms", [-30_000, 30_000, 300_000])
def test_half_a_minute_of_skew_is_expired(stage: Stage, skew_ms: int) -> None:
    message, code = "header timestamp expired", "header_timestamp_expired"
    expected = (401, {"error": {"code": code, "message": message}})
    assert ask(stage, stage.signed(PATH, skew_ms=skew_ms)) == expected


def test_a_timestamp_that_is_no_number_is_expired(stage: Stage) -> None:
    headers = stage.signed(PATH) | {"KALSHI-ACCESS-TIMESTAMP": "today"}
    assert ask(stage, headers)[1]["error"]["code"] == "header_timestamp_expired"


def test_every_answer_tells_the_servers_time(stage: Stage) -> None:
    url = f"{stage.urls['kalshi']}/trade-api/v2/exchange/status"
    assert stage.session.get(url, timeout=10).headers["Date"].endswith("GMT")
