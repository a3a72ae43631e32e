"""What an emulator keeps in its folder: the world's charter, key pairs and secrets."""

import json
import os
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from emulators.kalshi.signature import PublicKey
from emulators.world import instant
from emulators.world.chance import identifier, token
from emulators.world.charter import Charter
from emulators.world.instant import DAY

RSA_FILE = "kalshi_rsa.pem"
ED25519_FILE = "kalshi_ed25519.pem"


class Mismatch(ValueError):
    """The folder holds another world than the one asked for."""


@dataclass(frozen=True, slots=True)
class Secrets:
    """What clients show: made from the seed, the same at each start."""

    rsa_id: str
    ed25519_id: str
    admin_key: str
    revenue_token: str
    hubspot_token: str


def secrets(seed: str) -> Secrets:
    """Return the secrets of a seed's world."""
    return Secrets(
        rsa_id=identifier(seed, "rsa"),
        ed25519_id=identifier(seed, "ed25519"),
        admin_key=f"sk-ant-admin01-{token(seed, 'anthropic')}",
        revenue_token=f"rev_{token(seed, 'revenue')}",
        hubspot_token=f"pat-na1-{token(seed, 'hubspot')}",
    )


def charter(  # noqa: PLR0913 - each is an option of the command
    folder: Path,
    seed: str | None,
    start: int | None,
    days: int | None,
    *,
    unnetted: bool | None = None,
    direct: bool | None = None,
) -> Charter:
    """Return the folder's world, made now when there is none; Mismatch when it is another."""
    path = folder / "world.json"
    folder.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        first = instant.system() if start is None else start
        made = {
            "seed": seed or "7",
            "start": instant.text(first),
            "days": 90 if days is None else days,
            "unnetted": bool(unnetted),
            "direct": direct is not False,
        }
        path.write_text(json.dumps(made) + "\n", encoding="utf-8")
    kept = {"unnetted": False, "direct": True, **json.loads(path.read_text(encoding="utf-8"))}
    first = instant.parse(kept["start"])
    for name, asked, known in (
        ("seed", seed, kept["seed"]), ("start", start, first), ("history-days", days, kept["days"]),
        ("unnetted", unnetted, kept["unnetted"]), ("direct", direct, kept["direct"]),
    ):  # fmt: skip
        if asked not in (None, known):
            raise Mismatch(f"{path} holds a world of --{name} {known}, not {asked}")
    begin = first - kept["days"] * DAY
    return Charter(kept["seed"], first, begin, kept["unnetted"], kept["direct"])


def public_key(path: Path) -> PublicKey:
    """Return the public half of a PEM file's key, made once and readable by its owner only."""
    if not path.exists():
        made = (
            rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
            if path.name == RSA_FILE
            else Ed25519PrivateKey.generate()
        )
        text = made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(text)
    key = load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(key, rsa.RSAPrivateKey | Ed25519PrivateKey):
        raise Mismatch(f"{path} holds neither an RSA nor an Ed25519 key")
    return key.public_key()
