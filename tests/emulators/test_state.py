"""What the folder keeps: the same world and the same keys at each start."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from emulators import state
from emulators.world.instant import DAY
from tests.emulators.stage import START


def test_a_world_is_remembered(tmp_path: Path) -> None:
    made = state.charter(tmp_path / "new", "9", START, 30)
    assert (made.seed, made.start, made.begin) == ("9", START, START - 30 * DAY)
    assert state.charter(tmp_path / "new", None, None, None) == made
    assert state.charter(tmp_path / "new", "9", START, 30) == made


def test_usually_it_is_seed_seven_with_ninety_days(tmp_path: Path) -> None:
    made = state.charter(tmp_path, None, None, None)
    assert (made.seed, made.start - made.begin) == ("7", 90 * DAY)


@pytest.mark.parametrize("asked", [("8", None, None), (None, START + 1, None), (None, None, 5)])
def test_another_world_is_refused(
    tmp_path: Path, asked: tuple[str | None, int | None, int | None]
) -> None:
    state.charter(tmp_path, "7", START, 90)
    with pytest.raises(state.Mismatch, match="holds a world of"):
        state.charter(tmp_path, *asked)


def test_the_kind_of_account_is_remembered(tmp_path: Path) -> None:
    made = state.charter(tmp_path, None, None, None, unnetted=True, direct=False)
    assert (made.unnetted, made.direct) == (True, False)
    assert state.charter(tmp_path, None, None, None) == made
    with pytest.raises(state.Mismatch, match="--unnetted True, not False"):
        state.charter(tmp_path, None, None, None, unnetted=False)


def test_a_folder_of_before_holds_a_netted_direct_account(tmp_path: Path) -> None:
    text = '{"seed": "7", "start": "2026-11-21T21:00:00Z", "days": 3}'
    (tmp_path / "world.json").write_text(text)
    made = state.charter(tmp_path, None, None, None)
    assert (made.unnetted, made.direct) == (False, True)


@pytest.mark.parametrize("name", [state.RSA_FILE, state.ED25519_FILE])
def test_a_key_is_made_once_for_its_owner_only(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    first, second = state.public_key(path), state.public_key(path)
    assert path.stat().st_mode & 0o777 == 0o600
    form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert first.public_bytes(*form) == second.public_bytes(*form)


def test_a_key_of_another_kind_is_refused(tmp_path: Path) -> None:
    form = (Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path = tmp_path / state.RSA_FILE
    path.write_bytes(X25519PrivateKey.generate().private_bytes(*form))
    with pytest.raises(state.Mismatch, match="neither an RSA nor an Ed25519 key"):
        state.public_key(path)


def test_secrets_follow_the_seed() -> None:
    assert state.secrets("7") == state.secrets("7") != state.secrets("8")
    assert state.secrets("7").admin_key.startswith("sk-ant-admin01-")
