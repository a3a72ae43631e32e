"""Start the four emulators and their admin door, and say on one line where they are."""

import json
import signal
import sys
from argparse import ArgumentParser, BooleanOptionalAction, Namespace
from pathlib import Path
from threading import Thread
from typing import Any

from emulators import admin, hubspot, revenue, state
from emulators.anthropic.service import service as anthropic_service
from emulators.kalshi.service import ROOT, SOCKET
from emulators.kalshi.service import service as kalshi_service
from emulators.server import Server, Service, troubled
from emulators.world import instant
from emulators.world.amount import scaled
from emulators.world.charter import Charter
from emulators.world.journal import Journal
from emulators.world.listing import MadeUp
from emulators.world.market import Listing
from emulators.world.replay import Replayed
from emulators.world.world import World

_PORTS = ("kalshi", "anthropic", "revenue", "hubspot", "admin")


def main(arguments: list[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT; 2 when the options do not fit the folder."""
    ends = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, ends)
    options = _options(arguments)
    try:
        charter = state.charter(
            options.state_dir,
            options.seed,
            options.start,
            options.history_days,
            unnetted=options.unnetted,
            direct=options.direct,
        )
        listing = _listing(options, charter)
        share = scaled(options.own, 100, "--own")
    except (OSError, ValueError) as error:
        sys.stderr.write(f"emulators: {error}\n")
        return 2
    journal = Journal(options.state_dir / "journal.jsonl")
    world = World(charter, listing, journal, instant.system, share)
    ready = _serve(world, options)
    sys.stdout.write(json.dumps(ready) + "\n")
    sys.stdout.flush()
    Thread(target=_warm, args=(world,), daemon=True).start()
    signal.sigwait(ends)
    return 0


def _options(arguments: list[str] | None) -> Namespace:
    parser = ArgumentParser(prog="python -m emulators", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    for name in _PORTS:
        parser.add_argument(f"--{name}-port", type=int, default=0, help="0: any free one")
    parser.add_argument("--seed", help="which world (7)")
    parser.add_argument("--state-dir", type=Path, default=Path("var/emulators"))
    parser.add_argument("--start", type=instant.parse, help="when history ended, RFC 3339 (now)")
    parser.add_argument("--history-days", type=int, help="days before the start (90)")
    parser.add_argument("--replay", type=Path, help="a CSV of public trades that drives the marks")
    parser.add_argument("--speed", type=float, default=1.0, help="of the replay")
    parser.add_argument("--own", default="0", help="the account's share of each replayed trade")
    parser.add_argument(
        "--unnetted", action=BooleanOptionalAction, help="an account that keeps YES and NO apart"
    )
    parser.add_argument(
        "--direct", action=BooleanOptionalAction, help="balances to $0.0001 (yes), or to the cent"
    )
    return parser.parse_args(arguments)


def _listing(options: Namespace, charter: Charter) -> Listing:
    if options.replay is None:
        return MadeUp(charter.seed)
    return Replayed(options.replay, charter.start, options.speed)


def _serve(world: World, options: Namespace) -> dict[str, Any]:
    secrets = state.secrets(world.charter.seed)
    files = {secrets.rsa_id: state.RSA_FILE, secrets.ed25519_id: state.ED25519_FILE}
    keys = {
        identity: state.public_key(options.state_dir / name) for identity, name in files.items()
    }
    services: dict[str, Service] = {
        "kalshi": troubled("kalshi", world.faults, kalshi_service(world, keys)),
        "anthropic": troubled(
            "anthropic", world.faults, anthropic_service(world, secrets.admin_key)
        ),
        "revenue": troubled("revenue", world.faults, revenue.service(world, secrets.revenue_token)),
        "hubspot": troubled("hubspot", world.faults, hubspot.service(world, secrets.hubspot_token)),
        "admin": admin.service(world),
    }
    at = {name: _begun(options, name, service) for name, service in services.items()}
    return {
        "kalshi_url": f"http://{at['kalshi']}{ROOT}",
        "kalshi_ws_url": f"ws://{at['kalshi']}{SOCKET}",
        "kalshi_key_id": secrets.rsa_id,
        "kalshi_private_key_file": str((options.state_dir / state.RSA_FILE).resolve()),
        "kalshi_ed25519_key_id": secrets.ed25519_id,
        "kalshi_ed25519_private_key_file": str((options.state_dir / state.ED25519_FILE).resolve()),
        "anthropic_url": f"http://{at['anthropic']}",
        "anthropic_admin_key": secrets.admin_key,
        "revenue_url": f"http://{at['revenue']}",
        "revenue_token": secrets.revenue_token,
        "hubspot_url": f"http://{at['hubspot']}",
        "hubspot_token": secrets.hubspot_token,
        "admin_url": f"http://{at['admin']}",
    }


def _begun(options: Namespace, name: str, service: Service) -> str:
    server = Server(options.host, getattr(options, f"{name}_port"), service)
    server.begin()
    return server.authority


def _warm(world: World) -> None:
    with world.lock:
        world.spend.total(world.advance())


if __name__ == "__main__":
    sys.exit(main())
