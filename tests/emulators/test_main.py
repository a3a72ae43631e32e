"""The command as a process: one line, three sources, the same world again, a quick end."""

import base64
import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import requests
import websocket
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

ROOT = Path(__file__).parents[2]


class Emulators:
    """A running command and what it said."""

    def __init__(self, *options: str) -> None:
        """Start it and wait for its line."""
        command = [sys.executable, "-m", "emulators", *options]
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout
        self.said: dict[str, str] = json.loads(self.process.stdout.readline())

    def signed(self, path: str, kind: str = "") -> dict[str, str]:
        key = load_pem_private_key(
            Path(self.said[f"kalshi_{kind}private_key_file"]).read_bytes(), None
        )
        stamp = str(time.time_ns() // 1_000_000)
        message = f"{stamp}GET{path}".encode()
        if isinstance(key, RSAPrivateKey):
            signature = key.sign(message, PSS(MGF1(SHA256()), 32), SHA256())
        else:
            assert isinstance(key, Ed25519PrivateKey)
            signature = key.sign(message)
        return {
            "KALSHI-ACCESS-KEY": self.said[f"kalshi_{kind}key_id"],
            "KALSHI-ACCESS-TIMESTAMP": stamp,
            "KALSHI-ACCESS-SIGNATURE": base64.b64encode(signature).decode(),
        }

    def fills(self, kind: str = "") -> list[dict[str, Any]]:
        headers = self.signed("/trade-api/v2/portfolio/fills", kind)
        url = f"{self.said['kalshi_url']}/portfolio/fills?limit=1000"
        answer = requests.get(url, headers=headers, timeout=60)
        assert answer.status_code == 200, answer.text
        rows: list[dict[str, Any]] = answer.json()["fills"]
        return rows

    def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(how)
        code = self.process.wait(60)
        assert self.process.stdout
        self.process.stdout.close()
        return code


@pytest.fixture
def options(tmp_path: Path) -> list[str]:
    return ["--state-dir", str(tmp_path / "state"), "--history-days", "2"]


def test_a_restart_continues_the_same_world(options: list[str]) -> None:
    first = Emulators(*options)
    before = first.fills()
    told = requests.post(
        f"{first.said['admin_url']}/fill", json={"book_side": "bid", "count": 2}, timeout=60
    ).json()
    assert first.end() == 0
    second = Emulators(*options, "--seed", "7")
    after = second.fills("ed25519_")
    assert second.end(signal.SIGINT) == 0
    assert 330 <= len(before) < len(after)
    older = [fill for fill in after if fill["created_time"] <= before[0]["created_time"]]
    assert older == before
    assert told in after
    same = {name for name in first.said if "url" not in name}
    assert {name: first.said[name] for name in same} == {name: second.said[name] for name in same}


def test_one_line_names_every_door(options: list[str]) -> None:
    running = Emulators(*options, "--seed", "3")
    said = running.said
    try:
        assert set(said) == {
            "kalshi_url", "kalshi_ws_url", "kalshi_key_id", "kalshi_private_key_file",
            "kalshi_ed25519_key_id", "kalshi_ed25519_private_key_file", "anthropic_url",
            "anthropic_admin_key", "revenue_url", "revenue_token", "hubspot_url",
                "hubspot_token", "admin_url",
        }  # fmt: skip
        assert said["kalshi_url"].endswith("/trade-api/v2")
        assert said["kalshi_ws_url"].endswith("/trade-api/ws/v2")
        deals = requests.get(
            f"{said['revenue_url']}/deals",
            headers={"Authorization": f"Bearer {said['revenue_token']}"},
            timeout=60,
        ).json()
        assert deals["data"]
        headers = {"x-api-key": said["anthropic_admin_key"], "anthropic-version": "2023-06-01"}
        me = requests.get(
            f"{said['anthropic_url']}/v1/organizations/me", headers=headers, timeout=60
        )
        assert me.status_code == 200
        totals = requests.get(f"{said['admin_url']}/totals", timeout=60).json()
        assert totals["fills"] >= 330
    finally:
        assert running.end() == 0


def test_options_that_do_not_fit_the_folder_end_with_a_sentence(options: list[str]) -> None:
    assert Emulators(*options, "--seed", "7").end() == 0
    again = subprocess.run(
        [sys.executable, "-m", "emulators", *options, "--seed", "8"],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert again.returncode == 2
    assert "holds a world of --seed 7, not 8" in again.stderr
    assert again.stdout == ""


def test_the_stream_is_beside_rest_and_tells_a_fill(options: list[str]) -> None:
    running = Emulators(*options)
    try:
        header = running.signed("/trade-api/ws/v2")
        socket = websocket.create_connection(
            running.said["kalshi_ws_url"], header=header, timeout=20
        )
        command = {"id": 1, "cmd": "subscribe", "params": {"channels": ["fill"]}}
        socket.send(json.dumps(command))
        assert json.loads(socket.recv())["type"] == "subscribed"
        wish = {"book_side": "bid", "count": 2}
        told = requests.post(f"{running.said['admin_url']}/fill", json=wish, timeout=60).json()
        heard = [json.loads(socket.recv())["msg"]["trade_id"]]
        if heard != [told["trade_id"]]:
            heard.append(json.loads(socket.recv())["msg"]["trade_id"])
        assert heard[-1] == told["trade_id"]
        socket.close()
    finally:
        assert running.end() == 0


def test_the_kind_of_account_is_an_option_that_is_kept(options: list[str]) -> None:
    assert Emulators(*options, "--unnetted", "--no-direct").end() == 0
    assert Emulators(*options).end() == 0
    again = subprocess.run(
        [sys.executable, "-m", "emulators", *options, "--direct"],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert again.returncode == 2
    assert "holds a world of --direct False, not True" in again.stderr
