"""Secrets that files hold: NAME_FILE beside NAME, read at the start and again when refused."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

SECRETS = frozenset(
    {
        "database_url",
        "database_read_url",
        "redis_url",
        "secret_key",
        "kalshi_api_key_id",
        "kalshi_private_key",
        "anthropic_admin_key",
        "revenue_api_token",
        "hubspot_token",
        "alert_urls",
    },
)
"""Each of these may also be given as NAME_FILE, the path of a file that holds it."""


class SecretFiles(PydanticBaseSettingsSource):
    """Secrets read from the files that NAME_FILE names; ValueError when NAME is set too."""

    def __init__(self, settings_cls: type[BaseSettings], environ: Mapping[str, str]) -> None:
        """Look for the files' names in `environ`."""
        super().__init__(settings_cls)
        self._environ = environ

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Return the file's text without its last line break, or None when there is no file."""
        del field
        name = field_name.upper()
        path = self._environ.get(f"{name}_FILE")
        if not path or field_name not in SECRETS:
            return None, field_name, False
        if self._environ.get(name):
            raise ValueError(
                f"{name}: set either {name} or {name}_FILE, not both. "
                f"Example: {name}_FILE=/run/secrets/{name.lower()}"
            )
        try:
            return text(path), field_name, False
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is no text"
            raise ValueError(f"{name}_FILE: {path} can't be read: {reason}") from error

    def __call__(self) -> dict[str, Any]:
        """Return the secrets that files hold, by field."""
        found = {
            name: self.get_field_value(field, name)[0]
            for name, field in self.settings_cls.model_fields.items()
        }
        return {name: text for name, text in found.items() if text is not None}


def text(path: str) -> str:
    """Return a file's text without its last line break."""
    return Path(path).read_text("utf-8").rstrip("\r\n")


def rereader(path: str | None) -> Callable[[], str | None]:
    """Return what reads a secret's file again: None without a file, or while it can't be read."""

    def reread() -> str | None:
        try:
            return text(path) if path else None
        except (OSError, UnicodeDecodeError):
            return None  # whoever rotates a key may be in the midst of it; the old one goes on

    return reread
