"""What every benchmark hands in: figures beside a peer and a mark, as a table and as JSON."""

import json
import os
import platform
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Literal

import psutil
from rich.console import Console
from rich.table import Table

OUT = Path(__file__).resolve().parent / "out"
_PACKAGES = ("duckdb", "leadlight", "mlflow", "numpy", "pandas", "pyarrow", "scikit-learn")


@dataclass(frozen=True)
class Result:
    """One figure.

    Attributes
    ----------
    figure : str
        What was measured: "score 100k leads".
    value : float
    unit : str
        "s", "MB", "events/s".
    peer : str or None
        What it is compared with: "DuckDB scan of the same Parquet".
    peer_value : float or None
        The peer's figure, in the same unit.
    mark : float or None
        What the figure has to reach.
    better : {"lower", "higher"}
        Which side of the mark is good.
    mark_on : {"value", "ratio"}
        Whether the mark is set on the figure itself or on its ratio to the peer.
    """

    figure: str
    value: float
    unit: str
    peer: str | None = None
    peer_value: float | None = None
    mark: float | None = None
    better: Literal["lower", "higher"] = "lower"
    mark_on: Literal["value", "ratio"] = "value"

    @property
    def ratio(self) -> float | None:
        """The figure over the peer's."""
        return self.value / self.peer_value if self.peer_value else None

    @property
    def met(self) -> bool | None:
        """Whether the mark is reached; None where there is none."""
        reached = self.value if self.mark_on == "value" else self.ratio
        if self.mark is None or reached is None:
            return None
        return reached <= self.mark if self.better == "lower" else reached >= self.mark

    def to_dict(self) -> dict[str, object]:
        """Return the figure as plain data, with its ratio and whether the mark is met."""
        return {**asdict(self), "ratio": self.ratio, "met": self.met}


def machine() -> dict[str, object]:
    """Describe the machine by what matters for speed, not by its name."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 2**30, 1),
        # Above the number of cores, others were at work and times by the clock are too long.
        "load": round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None,
        "system": f"{platform.system()} {platform.release()}",
    }


def _processor() -> str:
    described = Path("/proc/cpuinfo")
    lines = described.read_text(encoding="utf-8").splitlines() if described.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def versions() -> dict[str, str]:
    """Name the versions of what does the work."""
    return {"python": platform.python_version(), **{name: version(name) for name in _PACKAGES}}


def peak_memory_mb() -> float:
    """Return the most memory that this process has held so far, in megabytes."""
    import resource  # noqa: PLC0415  (not on Windows, where the rest of the module works)

    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return held / 2**20 if sys.platform == "darwin" else held / 2**10


def write_results(
    name: str,
    results: Sequence[Result],
    *,
    seed: int,
    quick: bool = False,
    out: Path = OUT,
    console: Console | None = None,
) -> Path:
    """Print the table and write ``out/NAME.json``; return its path.

    Parameters
    ----------
    name : str
        The benchmark: ``make bench-NAME``.
    results : sequence of Result
    seed : int
    quick : bool
        Whether this was the smaller run.
    out : Path
        Folder of the JSON file.
    console : rich.console.Console, optional
        Where to print the table.
    """
    _print(
        name,
        results,
        quick=quick,
        console=console or Console(width=None if sys.stdout.isatty() else 140),
    )
    out.mkdir(parents=True, exist_ok=True)
    path = out / f"{name}.json"
    content = {
        "benchmark": name,
        "quick": quick,
        "seed": seed,
        "machine": machine(),
        "versions": versions(),
        "results": [result.to_dict() for result in results],
    }
    temporary = path.with_suffix(".json.tmp")
    temporary.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    temporary.replace(path)
    return path


def _print(name: str, results: Sequence[Result], *, quick: bool, console: Console) -> None:
    table = Table(title=f"bench-{name}{' (quick)' if quick else ''}", title_justify="left")
    table.add_column("figure")
    for column in ("value", "unit", "peer", "ratio", "mark", "met"):
        table.add_column(column, justify="left" if column in {"unit", "peer"} else "right")
    for result in results:
        sign = "≤" if result.better == "lower" else "≥"
        on = " x peer" if result.mark_on == "ratio" else ""
        peer = f"{result.peer}: {_number(result.peer_value)}" if result.peer else ""
        table.add_row(
            result.figure,
            _number(result.value),
            result.unit,
            peer,
            _number(result.ratio),
            "" if result.mark is None else f"{sign} {_number(result.mark)}{on}",
            {None: "", True: "yes", False: "NO"}[result.met],
        )
    console.print(table)
    console.print(", ".join(f"{what}: {value}" for what, value in machine().items()))


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
