"""Settings: what is refused, how it is said, and that the docs say the same."""

from decimal import Decimal
from pathlib import Path

import pytest

import settings
from secretfiles import SECRETS
from settings import Settings, load

DOCS = Path(__file__).parents[1] / "docs" / "settings.md"


@pytest.fixture(autouse=True)
def _bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
        monkeypatch.delenv(f"{name.upper()}_FILE", raising=False)


@pytest.mark.parametrize(
    ("name", "value", "wrong"),
    [
        ("PORT", "99999", "less than or equal to 65535"),
        ("TICK_SECONDS", "0.1", "greater than or equal to 0.5"),
        ("TICK_SECONDS", "nan", "finite"),
        ("DISPLAY_TIMEZONE", "Mars", "no IANA time zone"),
        ("KALSHI_API_URL", "ftp://example.com", "no http(s) address"),
        ("KALSHI_PRIVATE_KEY", "secret-text", "no PEM"),
        ("MARK_POLICY", "best", "'bid', 'mid' or 'last'"),
        ("ANTHROPIC_POLL_SECONDS", "0.5", "greater than or equal to 1"),
        ("HOST", "192.0.2.1", "not loopback"),
        ("DATABASE_URL", "mysql://host/db", "sqlite"),
        ("REVENUE_RATES", "EUR1.08", "no pair of an ISO 4217 code and a rate"),
        ("REVENUE_RATES", "EUR=-1", "greater than 0"),
    ],
)
def test_a_bad_setting_ends_the_start_with_its_name_and_an_example(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, wrong: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as ended:
        load()
    sentence = str(ended.value)
    assert sentence.startswith(f"northstar: {name}:")
    assert wrong in sentence
    assert f"Example: {name}=" in sentence


def test_a_refused_secret_is_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KALSHI_PRIVATE_KEY", "secret-text")
    with pytest.raises(SystemExit) as ended:
        load()
    assert "secret-text" not in str(ended.value)


def test_half_a_kalshi_key_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KALSHI_API_KEY_ID", "id")
    with pytest.raises(SystemExit, match="belong together"):
        load()


@pytest.mark.parametrize(
    "name", sorted(SECRETS - {"kalshi_private_key", "alert_urls", "database_url"})
)
def test_each_secret_may_come_from_a_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    file = tmp_path / "secret"
    file.write_text("from-a-file\n")
    monkeypatch.setenv(f"{name.upper()}_FILE", str(file))
    if name == "kalshi_api_key_id":
        monkeypatch.setenv("KALSHI_PRIVATE_KEY", "-----BEGIN PRIVATE KEY-----")
    assert getattr(load(), name) == "from-a-file"


def test_a_secret_given_twice_is_an_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("b")
    monkeypatch.setenv("SECRET_KEY", "a")
    monkeypatch.setenv("SECRET_KEY_FILE", str(file))
    with pytest.raises(SystemExit, match="either SECRET_KEY or SECRET_KEY_FILE"):
        load()


def test_a_secret_file_that_is_absent_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY_FILE", "/nowhere/secret")
    with pytest.raises(SystemExit, match="SECRET_KEY_FILE: /nowhere/secret can't be read"):
        load()


def test_a_key_with_escaped_line_breaks_is_a_pem(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KALSHI_API_KEY_ID", "id")
    monkeypatch.setenv("KALSHI_PRIVATE_KEY", "-----BEGIN PRIVATE KEY-----\\nabc")
    assert "\nabc" in load().kalshi_private_key


def test_sources_are_those_with_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load().sources == ()
    monkeypatch.setenv("ANTHROPIC_ADMIN_KEY", "key")
    monkeypatch.setenv("REVENUE_API_URL", "http://127.0.0.1:9/")
    assert load().sources == ("anthropic", "revenue")
    assert load().revenue_api_url == "http://127.0.0.1:9"
    monkeypatch.setenv("ANTHROPIC_COST_SOURCE", "off")
    assert load().sources == ("revenue",)


def test_deals_of_hubspot_and_exported_costs_are_sources_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HUBSPOT_TOKEN", "token")
    monkeypatch.setenv("ANTHROPIC_COST_CSV", "/srv/costs")
    assert load().sources == ("anthropic", "revenue")


def test_rates_are_read_as_they_are_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REVENUE_RATES", "EUR=1.08, GBP=1.270")
    assert load().revenue_rates == {"EUR": Decimal("1.08"), "GBP": Decimal("1.270")}


def test_a_secret_file_is_read_again_when_asked(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A key is rotated, then its file is gone for a moment."""
    file = tmp_path / "key"
    file.write_text("old\n")
    monkeypatch.setenv("ANTHROPIC_ADMIN_KEY_FILE", str(file))
    again = settings.reread("anthropic_admin_key")
    file.write_text("new\n")
    assert again() == "new"
    file.unlink()
    assert again() is None
    assert settings.reread("kalshi_private_key")() is None


def test_the_session_key_is_made_once_and_private(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    key = settings.secret_key(load())
    assert len(key) == 64
    assert settings.secret_key(load()) == key
    assert (tmp_path / "var" / "secret_key").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("name", Settings.model_fields)
def test_the_docs_describe_every_setting(name: str) -> None:
    field = Settings.model_fields[name]
    rows = [line for line in DOCS.read_text().splitlines() if f"| `{name.upper()}`" in line]
    assert len(rows) == 1
    assert str(field.description) in rows[0]
    assert ("*secret*" in rows[0]) == (name in SECRETS)
    if field.default not in ("", None, (), {}):
        assert f"`{field.default}`" in rows[0]


def test_the_docs_describe_nothing_else() -> None:
    named = [line.split("`")[1] for line in DOCS.read_text().splitlines() if line.startswith("| `")]
    assert named == [name.upper() for name in Settings.model_fields]
