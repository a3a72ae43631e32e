"""The organization API as one function: key, version, route, answer."""

from collections.abc import Mapping

from emulators.anthropic import legacy, organization
from emulators.anthropic.analytics import BETA, Analytics
from emulators.anthropic.errors import Refused
from emulators.server import Reply, Request, Service
from emulators.world.world import World

ROOT = "/v1/organizations"

_REFUSALS = {403: "Your account does not have access to analytics", 404: "Not found"}


def service(world: World, admin_key: str) -> Service:
    """Return the API over a world, for the holder of `admin_key`."""
    analytics = Analytics(world)
    routes: dict[str, Service] = {
        "/me": lambda _: organization.me(world),
        "/workspaces": lambda request: organization.workspaces(world, request),
        "/api_keys": lambda request: organization.api_keys(world, request),
        "/usage_report/messages": lambda request: legacy.usage(world, request),
        "/cost_report": lambda request: legacy.cost(world, request),
        "/analytics/usage": analytics.usage,
        "/analytics/cost": analytics.cost,
    }

    def answer(request: Request) -> Reply:
        try:
            _admit(request, admin_key)
            _throttle(world)
            report = _report(request, routes)
            if "/analytics/" in request.path:
                _admit_beta(request, world.faults.analytics)
            with world.lock:
                return report(request)
        except Refused as refused:
            return refused.reply

    return answer


def _admit(request: Request, admin_key: str) -> None:
    given = request.header("x-api-key") or request.header("authorization").removeprefix("Bearer ")
    if not given:
        raise Refused(401, "x-api-key header is required")
    if given != admin_key:
        raise Refused(401, "invalid x-api-key")
    if not request.header("anthropic-version"):
        raise Refused(400, "anthropic-version: header is required")


def _throttle(world: World) -> None:
    """Refuse what is too often, or beyond the spend limit, which names no time to come back."""
    with world.lock:
        conduct = world.spend.conduct
        if conduct.capped:
            raise Refused(429, "You have reached your specified spend limit")
        if conduct.throttled:
            world.spend.conduct = conduct.served()
            wait = conduct.retry_after
            named = {} if wait is None else {"retry_after": str(wait)}
            raise Refused(429, "This request would exceed your rate limit", **named)


def _report(request: Request, routes: Mapping[str, Service]) -> Service:
    path = request.path.removeprefix(ROOT)
    if request.method != "GET" or path == request.path or path not in routes:
        raise Refused(404, "Not found")
    return routes[path]


def _admit_beta(request: Request, refusal: int | None) -> None:
    if refusal:
        raise Refused(refusal, _REFUSALS[refusal])
    if BETA not in request.header("anthropic-beta").replace(" ", "").split(","):
        raise Refused(400, f"anthropic-beta: {BETA} is required")
