"""Who the organization is: itself, its workspaces, its keys."""

from typing import Any

from emulators.server import Reply
from emulators.world import instant
from emulators.world.chance import identifier
from emulators.world.spend import WORKSPACES
from emulators.world.world import World


def me(world: World) -> Reply:
    """Answer GET /v1/organizations/me."""
    identity = identifier(world.charter.seed, "organization")
    return Reply(200, {"id": identity, "type": "organization", "name": "North Star Trading"})


def workspaces(world: World) -> Reply:
    """Answer GET /v1/organizations/workspaces: all but the default one."""
    named = list(zip(world.spend.workspace_ids, WORKSPACES, strict=True))[:-1]
    return _listed([
        {
            "id": identity, "type": "workspace", "name": name, "display_color": "#6C5BB9",
            "created_at": instant.brief(world.charter.begin), "archived_at": None,
        }
        for identity, name in named
    ])  # fmt: skip


def api_keys(world: World) -> Reply:
    """Answer GET /v1/organizations/api_keys: one per workspace."""
    spend = world.spend
    named = list(zip(spend.key_ids, spend.workspace_ids, WORKSPACES, strict=True))
    return _listed([
        {
            "id": key, "type": "api_key", "name": f"{name} key", "status": "active",
            "partial_key_hint": f"sk-ant-api03-…{key[-4:]}", "expires_at": None,
            "workspace_id": None if name == WORKSPACES[-1] else workspace,
            "created_at": instant.brief(world.charter.begin),
        }
        for key, workspace, name in named
    ])  # fmt: skip


def _listed(rows: list[dict[str, Any]]) -> Reply:
    ends = {"first_id": rows[0]["id"], "last_id": rows[-1]["id"]}
    return Reply(200, {"data": rows, "has_more": False, **ends})
