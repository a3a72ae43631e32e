"""The demo: what web and worker are told of the emulators."""

from pathlib import Path
from typing import Any

import pytest

import demo


@pytest.fixture
def ready(tmp_path: Path) -> dict[str, Any]:
    """Return what the emulators say when they are up."""
    key = tmp_path / "key.pem"
    key.write_text("PEM")
    names = (*demo.DOORS, "kalshi_ws_url", "kalshi_key_id", "anthropic_admin_key", "revenue_token")
    return {**dict.fromkeys(names, "x"), "kalshi_private_key_file": str(key)}


def test_a_restarted_emulator_comes_back_where_it_was() -> None:
    doors = {name: f"http://127.0.0.1:{port}/x" for port, name in enumerate(demo.DOORS, 4001)}
    assert demo.ports(doors) == [
        *("--kalshi-port", "4001"),
        *("--anthropic-port", "4002"),
        *("--revenue-port", "4003"),
        *("--admin-port", "4004"),
    ]


def test_it_keeps_a_database_of_its_own_unless_one_was_chosen(ready: dict[str, Any]) -> None:
    told = demo.environment(ready, None, paced=False)
    assert told["DATABASE_URL"] == demo.DATABASE
    assert (told["KALSHI_PRIVATE_KEY"], told["KALSHI_PRIVATE_KEY_FILE"]) == ("PEM", "")
    chosen = demo.environment(ready, "sqlite:///x.db", paced=True)
    assert chosen["DATABASE_URL"] == "sqlite:///x.db"


def test_no_real_account_is_read_in_it(ready: dict[str, Any]) -> None:
    told = demo.environment(ready, None, paced=False)
    assert [told[name] for name in ("HUBSPOT_TOKEN", "HUBSPOT_TOKEN_FILE")] == ["", ""]
    assert told["ANTHROPIC_COST_CSV"] == ""


def test_it_moves_every_other_second_unless_a_pace_was_chosen(ready: dict[str, Any]) -> None:
    assert demo.environment(ready, None, paced=False)["TICK_SECONDS"] == "2"
    assert "TICK_SECONDS" not in demo.environment(ready, None, paced=True)
