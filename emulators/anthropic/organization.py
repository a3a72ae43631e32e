"""Who the organization is: itself, its workspaces, its keys."""

from typing import Any

from emulators.anthropic import query
from emulators.anthropic.errors import Refused
from emulators.server import Reply, Request
from emulators.world import instant
from emulators.world.chance import identifier, token
from emulators.world.spend import WORKSPACES
from emulators.world.world import World


def me(world: World) -> Reply:
    """Answer GET /v1/organizations/me."""
    identity = identifier(world.charter.seed, "organization")
    return Reply(200, {"id": identity, "type": "organization", "name": "North Star Trading"})


def workspaces(world: World, request: Request) -> Reply:
    """Answer GET /v1/organizations/workspaces: the default and archived ones when asked for."""
    named = list(zip(world.spend.workspace_ids, WORKSPACES, strict=True))
    if request.one("include_default") != "true":
        named = named[:-1]
    rows = [_workspace(world, identity, name, None) for identity, name in named]
    if request.one("include_archived") == "true":
        identity = f"wrkspc_{token(world.charter.seed, 'archived')[:24]}"
        rows.append(_workspace(world, identity, "Sandbox", instant.brief(world.charter.start)))
    return _listed(request, rows)


def _workspace(world: World, identity: str, name: str, archived: str | None) -> dict[str, Any]:
    return {
        "id": identity, "type": "workspace", "name": name, "display_color": "#6C5BB9",
        "created_at": instant.brief(world.charter.begin), "archived_at": archived,
    }  # fmt: skip


def api_keys(world: World, request: Request) -> Reply:
    """Answer GET /v1/organizations/api_keys: one per workspace."""
    spend = world.spend
    named = list(zip(spend.key_ids, spend.workspace_ids, WORKSPACES, strict=True))
    rows = [
        {
            "id": key, "type": "api_key", "name": f"{name} key", "status": "active",
            "partial_key_hint": f"sk-ant-api03-…{key[-4:]}", "expires_at": None,
            "workspace_id": None if name == WORKSPACES[-1] else workspace,
            "created_at": instant.brief(world.charter.begin),
        }
        for key, workspace, name in named
    ]  # fmt: skip
    for wanted in ("status", "workspace_id"):
        rows = [row for row in rows if request.one(wanted) in ("", row[wanted])]
    return _listed(request, rows)


def _listed(request: Request, rows: list[dict[str, Any]]) -> Reply:
    """Return a page of a list: after or before an id, first come first."""
    limit = query.limit(request, 20, 1_000)
    ids = [row["id"] for row in rows]
    after, before = request.one("after_id"), request.one("before_id")
    for given in filter(None, (after, before)):
        if given not in ids:
            raise Refused(400, f"no such id: {given}")
    begin = ids.index(after) + 1 if after else 0
    end = ids.index(before) if before else len(rows)
    page = rows[max(begin, end - limit) : end] if before else rows[begin : begin + limit]
    more = end - limit > begin if before else begin + limit < end
    ends = (page[0]["id"], page[-1]["id"]) if page else (None, None)
    return Reply(200, {"data": page, "has_more": more, "first_id": ends[0], "last_id": ends[1]})
