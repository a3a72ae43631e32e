"""The supervisor and the command, as processes."""

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from supervisor import MISCONFIGURED
from tests.product import ROOT, free_port, until

FAMILY = textwrap.dedent("""
    import sys
    from supervisor import Child, Supervisor
    parent = Supervisor()
    parent.add(Child("sleeper", [sys.executable, "-c", sys.argv[1]], {}))
    print(parent._children[0].process.pid, flush=True)
    raise SystemExit(parent.run())
""")
SLEEP = "import time; time.sleep(600)"
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"


def family(child: str) -> tuple[subprocess.Popen[bytes], int]:
    parent = subprocess.Popen(
        [sys.executable, "-c", FAMILY, child], cwd=ROOT, stdout=subprocess.PIPE
    )
    assert parent.stdout is not None
    return parent, int(parent.stdout.readline())


def gone(pid: int) -> bool:
    try:
        return "Z" in Path(f"/proc/{pid}/stat").read_text().split(")")[1].split()[0]
    except OSError:
        return True


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_no_child_outlives_its_parent(number: signal.Signals) -> None:
    parent, child = family(SLEEP)
    parent.send_signal(number)
    parent.wait(10)
    until(lambda: gone(child), "the child has ended", 5)
    parent.stdout.close()


def test_a_child_that_does_not_listen_is_killed() -> None:
    parent, child = family(STUBBORN)
    parent.terminate()
    assert parent.wait(10) == 0
    assert gone(child)
    parent.stdout.close()


def test_children_stay_in_the_process_group() -> None:
    parent, child = family(SLEEP)
    assert os.getpgid(child) == os.getpgid(parent.pid)
    parent.kill()
    parent.wait(10)
    parent.stdout.close()


def test_a_misconfigured_child_ends_all() -> None:
    parent, _ = family(f"raise SystemExit({MISCONFIGURED})")
    assert parent.wait(10) == MISCONFIGURED
    parent.stdout.close()


def measured() -> dict[str, str]:
    """Return what lets coverage follow into another process; mostly nothing."""
    return {name: text for name, text in os.environ.items() if name.startswith("COVERAGE_")}


def command(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    bare = {**measured(), "PATH": os.environ["PATH"], **environment}
    argv = [sys.executable, "-m", "cli", *words]
    return subprocess.run(
        argv, cwd=ROOT, env=bare, capture_output=True, text=True, timeout=60, check=False
    )


def test_run_without_a_source_names_the_demo() -> None:
    ended = command("run")
    assert ended.returncode == MISCONFIGURED
    assert "northstar demo" in ended.stderr


def test_sources_tells_make_what_is_configured() -> None:
    assert command("sources").returncode == 3
    listed = command("sources", REVENUE_API_URL="http://127.0.0.1:9")
    assert (listed.returncode, listed.stdout) == (0, "revenue\n")
    assert command("sources", PORT="none").returncode == 1


def test_a_port_in_use_is_said_with_another_one() -> None:
    import socket  # noqa: PLC0415 -- one test listens

    with socket.create_server(("127.0.0.1", free_port())) as taken:
        port = str(taken.getsockname()[1])
        ended = command("run", PORT=port, REVENUE_API_URL="http://127.0.0.1:9")
    assert ended.returncode == MISCONFIGURED
    assert f"PORT: 127.0.0.1:{port} can't be used" in ended.stderr
