"""The machine a run was made on, as far as it says so itself."""

import os
import platform
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

_GIB = 2**30
_LIBRARIES = ("pandas", "numpy", "orjson")


@dataclass(frozen=True, slots=True)
class Machine:
    """Processor, memory and versions; `load` is the 1-minute load average when asked."""

    processor: str
    cores: int
    memory_gib: float
    system: str
    python: str
    libraries: dict[str, str]
    load: float

    def __str__(self) -> str:
        """Return one sentence for the page."""
        parts = ", ".join(f"{name} {number}" for name, number in self.libraries.items())
        return (
            f"{self.processor}, {self.cores} cores, {self.memory_gib:.1f} GiB; {self.system}; "
            f"Python {self.python}, {parts}; load {self.load:.1f} at the start"
        )


def this() -> Machine:
    """Return the machine this process runs on."""
    return Machine(
        processor=_processor(Path("/proc/cpuinfo")),
        cores=os.cpu_count() or 1,
        memory_gib=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / _GIB,
        system=f"{platform.system()} {platform.release()}",
        python=platform.python_version(),
        libraries={name: version(name) for name in _LIBRARIES},
        load=load(),
    )


def load() -> float:
    """Return the 1-minute load average: what else the machine is doing."""
    return os.getloadavg()[0]


def _processor(described: Path) -> str:
    """Return the model's name; the architecture where the system gives none."""
    text = described.read_text("utf-8") if described.exists() else ""
    models = [line.split(":", 1)[1] for line in text.splitlines() if line.startswith("model name")]
    return models[0].strip() if models else platform.machine()
