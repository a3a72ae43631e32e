"""The demo: where the emulators are, as the environment of web and worker."""

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

DATABASE = "sqlite:///var/demo.db"
TICK_SECONDS = 2
"""Whoever tries the demo should see it move."""

DOORS = ("kalshi_url", "anthropic_url", "revenue_url", "admin_url")


def ports(ready: Mapping[str, str]) -> list[str]:
    """Return the options that start the emulators again where they were."""
    return [
        text
        for name in DOORS
        for text in (f"--{name.removesuffix('_url')}-port", str(urlsplit(ready[name]).port))
    ]


def environment(
    ready: Mapping[str, str], database_url: str | None, *, paced: bool
) -> dict[str, str]:
    """Return the environment that points every source at the emulators, and none elsewhere.

    `database_url` is another than the demo's own, `paced` says that a tick was chosen.
    """
    emulated = {
        "DATABASE_URL": database_url or DATABASE,
        "KALSHI_API_URL": ready["kalshi_url"],
        "KALSHI_WS_URL": ready["kalshi_ws_url"],
        "KALSHI_API_KEY_ID": ready["kalshi_key_id"],
        "KALSHI_PRIVATE_KEY": Path(ready["kalshi_private_key_file"]).read_text("utf-8"),
        "ANTHROPIC_API_URL": ready["anthropic_url"],
        "ANTHROPIC_ADMIN_KEY": ready["anthropic_admin_key"],
        "REVENUE_API_URL": ready["revenue_url"],
        "REVENUE_API_TOKEN": ready["revenue_token"],
    }
    elsewhere = dict.fromkeys(("ANTHROPIC_COST_CSV", "HUBSPOT_TOKEN"), "")
    emulated |= elsewhere
    pace = {} if paced else {"TICK_SECONDS": str(TICK_SECONDS)}
    return emulated | pace | {f"{name}_FILE": "" for name in emulated}
