"""Settings: every name the outside may set, and the only reader of the environment."""

import os
import re
from collections.abc import Callable
from decimal import Decimal
from ipaddress import ip_address
from pathlib import Path
from secrets import token_hex
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from secretfiles import SECRETS, SecretFiles, rereader

_CURRENCY = re.compile(r"\s*[A-Z]{3}\s*$")
LIVE_DATABASE = "sqlite:///var/northstar.db"
Url = Annotated[str, Field(min_length=8)]
Names = Annotated[tuple[str, ...], NoDecode]
Rates = Annotated[dict[str, Annotated[Decimal, Field(gt=0)]], NoDecode]


class Settings(BaseSettings):
    """What the outside chose; frozen. Each field is the environment name in lower case."""

    model_config = SettingsConfigDict(
        frozen=True, env_ignore_empty=True, extra="ignore", allow_inf_nan=False
    )

    host: str = Field("127.0.0.1", description="Address to listen on.", examples=["127.0.0.1"])
    port: int = Field(8050, ge=1, le=65535, description="Port to listen on.", examples=[8050])
    web_concurrency: int = Field(1, ge=1, le=64, description="Web processes.", examples=[2])
    max_clients: int = Field(
        2000, ge=1, description="Live connections a web process admits.", examples=[2000]
    )
    database_url: str = Field(
        LIVE_DATABASE,
        pattern=r"^(sqlite:///.|postgresql)",
        description="Where facts rest: SQLite by default.",
        examples=["sqlite:///var/northstar.db"],
    )
    database_read_url: str = Field(
        "", description="A read replica for the web.", examples=["postgresql+psycopg://host/db"]
    )
    redis_url: str = Field(
        "", description="Redis for tiers and the bell; none needed.", examples=["redis://localhost"]
    )
    secret_key: str = Field(
        "", description="Signs sessions; made once in var/ when unset.", examples=["64 hex digits"]
    )
    rate_limits: Literal["on", "off"] = Field(
        "on", description="Request limits; off for benchmarks.", examples=["on"]
    )
    display_timezone: str = Field(
        "America/Los_Angeles",
        description="Zone of the days, weeks and months shown to people.",
        examples=["Europe/Berlin"],
    )
    tick_seconds: float = Field(
        10, ge=0.5, le=3600, description="Seconds between snapshots.", examples=[10]
    )
    mark_seconds: float = Field(
        1, ge=0.1, le=3600, description="Least seconds between mark snapshots.", examples=[1]
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="Least severity that is logged.", examples=["INFO"]
    )
    allowed_origins: Names = Field(
        (),
        description="Further origins whose pages may open live connections, by comma.",
        examples=["https://pnl.example.com"],
    )
    mark_policy: Literal["bid", "mid", "last"] = Field(
        "bid", description="Price that values open positions.", examples=["bid"]
    )
    kalshi_api_url: Url = Field(
        "https://external-api.kalshi.com/trade-api/v2",
        description="Kalshi REST, with its path; requests are signed with it.",
        examples=["https://external-api.kalshi.com/trade-api/v2"],
    )
    kalshi_ws_url: str = Field(
        "",
        description="Kalshi WebSocket, with its path; unset, the one beside KALSHI_API_URL.",
        examples=["wss://external-api-ws.kalshi.com/trade-api/ws/v2"],
    )
    kalshi_api_key_id: str = Field(
        "", description="Key id of a read-only Kalshi API key.", examples=["a UUID"]
    )
    kalshi_private_key: str = Field(
        "",
        description="That key's PEM, RSA or Ed25519.",
        examples=["-----BEGIN PRIVATE KEY-----…"],
    )
    anthropic_api_url: Url = Field(
        "https://api.anthropic.com",
        description="Anthropic's root, without /v1.",
        examples=["https://api.anthropic.com"],
    )
    anthropic_admin_key: str = Field(
        "", description="Anthropic admin key.", examples=["sk-ant-admin01-…"]
    )
    anthropic_cost_source: Literal["auto", "analytics", "legacy", "csv", "off"] = Field(
        "auto", description="Which cost API is read.", examples=["auto"]
    )
    anthropic_cost_csv: str = Field(
        "",
        description="File or folder of cost exports, read when the cost source is csv.",
        examples=["/srv/anthropic-costs"],
    )
    anthropic_poll_seconds: float = Field(
        60, ge=1, le=86400, description="Seconds between cost polls.", examples=[60]
    )
    revenue_api_url: str = Field(
        "", description="The parent of /deals.", examples=["https://crm.example.com/api"]
    )
    revenue_api_token: str = Field("", description="Its bearer token.", examples=["a token"])
    revenue_poll_seconds: float = Field(
        60, ge=1, le=86400, description="Seconds between deal polls.", examples=[60]
    )
    revenue_rates: Rates = Field(
        {},
        description="USD per unit of a currency, for deals that bring no rate of their own.",
        examples=["EUR=1.08,GBP=1.27"],
    )
    hubspot_api_url: Url = Field(
        "https://api.hubapi.com", description="HubSpot's root.", examples=["https://api.hubapi.com"]
    )
    hubspot_token: str = Field("", description="HubSpot service key.", examples=["pat-na1-…"])
    hubspot_stages: str = Field(
        "", description="HubSpot stage to status, as JSON.", examples=['{"closedwon": "pending"}']
    )
    alert_urls: Names = Field(
        (), description="Where alerts go, apprise URLs by comma.", examples=["mailto://…"]
    )
    ai_budget_month: Decimal | None = Field(
        None, gt=0, description="AI budget in USD a month.", examples=[5000]
    )
    loss_limit_day: Decimal | None = Field(
        None, gt=0, description="Loss in USD a day that alerts.", examples=[1000]
    )
    retention_snapshots_days: int = Field(
        30, ge=1, description="Days every snapshot is kept; then one a minute.", examples=[30]
    )
    retention_marks_days: int = Field(
        90, ge=1, description="Days every mark is kept; then one per 5 minutes.", examples=[90]
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read what was passed, then files, then the environment."""
        del dotenv_settings, file_secret_settings
        return init_settings, SecretFiles(settings_cls, os.environ), env_settings

    @field_validator("allowed_origins", "alert_urls", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(filter(None, value.split(","))) if isinstance(value, str) else value

    @field_validator("revenue_rates", mode="before")
    @classmethod
    def _pairs(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        pairs = [pair.partition("=") for pair in value.split(",") if pair.strip()]
        wrong = [name for name, equals, _ in pairs if not equals or not _CURRENCY.match(name)]
        if wrong:
            raise ValueError(f"{wrong[0]!r} is no pair of an ISO 4217 code and a rate")
        return {name.strip(): rate.strip() for name, _, rate in pairs}

    @field_validator("display_timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, OSError, ValueError) as error:
            raise ValueError(f"{value!r} is no IANA time zone") from error
        return value

    @field_validator("kalshi_api_url", "anthropic_api_url", "revenue_api_url", "hubspot_api_url")
    @classmethod
    def _http(cls, value: str) -> str:
        if value and urlsplit(value).scheme not in {"http", "https"}:
            raise ValueError("is no http(s) address")
        return value.rstrip("/")

    @field_validator("kalshi_private_key")
    @classmethod
    def _pem(cls, value: str) -> str:
        pem = value.replace("\\n", "\n")
        if pem and "-----BEGIN" not in pem:
            raise ValueError("is no PEM; it begins with -----BEGIN")
        return pem

    @model_validator(mode="after")
    def _whole(self) -> "Settings":
        if bool(self.kalshi_api_key_id) != bool(self.kalshi_private_key):
            raise ValueError("KALSHI_API_KEY_ID and KALSHI_PRIVATE_KEY belong together; set both")
        if not _loopback(self.host):
            raise ValueError(
                f"HOST: {self.host} is not loopback and there are no users yet; "
                "whoever reaches it would see everything. Example: HOST=127.0.0.1",
            )
        return self

    @property
    def sources(self) -> tuple[str, ...]:
        """The configured sources' names."""
        configured = {
            "kalshi": bool(self.kalshi_api_key_id),
            "anthropic": self.anthropic_cost_source != "off"
            and bool(self.anthropic_admin_key or self.anthropic_cost_csv),
            "revenue": bool(self.revenue_api_url or self.hubspot_token),
        }
        return tuple(name for name, given in configured.items() if given)


def load(**chosen: Any) -> Settings:  # noqa: ANN401 -- pydantic validates each by its field
    """Return the settings; SystemExit with one message that names each bad variable."""
    try:
        return Settings(**chosen)
    except ValidationError as error:
        raise SystemExit("\n".join(map(_sentence, error.errors()))) from None
    except ValueError as error:
        raise SystemExit(f"northstar: {error}") from None


def secret_key(chosen: Settings) -> str:
    """Return the key that signs sessions; made once beside the other state when unset."""
    if chosen.secret_key:
        return chosen.secret_key
    path = Path("var/secret_key")
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        draft = path.with_suffix(f".{os.getpid()}")
        draft.touch(mode=0o600)
        draft.write_text(token_hex(32), "utf-8")
        draft.rename(path)
    return path.read_text("utf-8")


def reread(name: str) -> Callable[[], str | None]:
    """Return what reads a secret again from the file NAME_FILE names, for a key that is rotated."""
    return rereader(os.environ.get(f"{name.upper()}_FILE"))


def inherited(**more: str) -> dict[str, str]:
    """Return this process's environment with `more`, for a child process."""
    return {**os.environ, **more}


def _sentence(error: Any) -> str:  # noqa: ANN401 -- pydantic's own error details
    wrong = error["msg"].removeprefix("Value error, ")
    if not error["loc"]:
        return f"northstar: {wrong}"
    field = str(error["loc"][0])
    name = field.upper()
    shown = "" if field in SECRETS else f" (it is {error['input']!r})"
    example = (Settings.model_fields[field].examples or [""])[0]
    return f"northstar: {name}: {wrong}{shown}. Example: {name}={example}"


def _loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
