"""The image and its compose file: pinned, unprivileged, reachable from loopback only."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "ops" / "Dockerfile").read_text("utf-8")
ALLOWED = (ROOT / "ops" / "Dockerfile.dockerignore").read_text("utf-8").splitlines()
COMPOSE = yaml.safe_load((ROOT / "ops" / "compose.yaml").read_text("utf-8"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]


def test_everything_installed_is_pinned_by_hash() -> None:
    installs = re.findall(r"pip install (.*)", DOCKERFILE)
    assert installs == [
        "--require-hashes -r /srv/northstar/requirements.lock",
        "--no-deps --no-build-isolation --editable /srv/northstar",
    ]


def test_it_does_not_run_as_root() -> None:
    users = re.findall(r"^USER (\S+)$", DOCKERFILE, re.MULTILINE)
    assert users == ["northstar"]
    after = DOCKERFILE.partition("USER northstar")[2]
    assert "RUN" not in after


@pytest.mark.parametrize("name", ["Dockerfile", "compose.yaml"])
def test_no_registry_is_named(name: str) -> None:
    text = (ROOT / "ops" / name).read_text("utf-8")
    images = re.findall(r"^(?:FROM|\s+image:)\s+(\S+)", text, re.MULTILINE)
    assert images
    assert all("/" not in image for image in images)
    assert not re.search(r"index-url|https?://(?!127\.0\.0\.1)", text)


def test_every_room_that_is_packaged_enters_the_image() -> None:
    """The benches stay out: they are no part of what runs."""
    rooms = {pattern.rstrip("*") for pattern in PROJECT["packages"]["find"]["include"]}
    admitted = {line.removeprefix("!") for line in ALLOWED if line.startswith("!")}
    assert rooms - {"bench"} <= admitted
    assert {"*.py", "pyproject.toml", "requirements.lock", "gunicorn.conf.py"} <= admitted
    assert "*" in ALLOWED


def test_every_service_listens_on_loopback_only_until_there_are_users() -> None:
    services = COMPOSE["services"]
    assert services["northstar"]["environment"]["HOST"] == "127.0.0.1"
    redis = services["redis"]["command"]
    assert redis[redis.index("--bind") + 1] == "127.0.0.1"
    assert not any("ports" in service for service in services.values())


def test_redis_is_optional_and_bounded() -> None:
    redis = COMPOSE["services"]["redis"]
    assert redis["profiles"] == ["redis"]
    words = redis["command"]
    assert words[words.index("--maxmemory") + 1] == "256mb"
    assert words[words.index("--maxmemory-policy") + 1] == "allkeys-lru"
    assert "profiles" not in COMPOSE["services"]["northstar"]


def test_services_can_write_to_their_volume_and_nowhere_else() -> None:
    for service in COMPOSE["services"].values():
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
    assert COMPOSE["services"]["northstar"]["tmpfs"] == ["/tmp"]  # noqa: S108 -- the container's
