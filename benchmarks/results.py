"""What every benchmark hands in: figures beside a peer and a mark, as a table and as JSON."""

import json
import os
import platform
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

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
        What it is compared with, and its figure: "DuckDB scan of the same Parquet: 0.75".
    ratio : float or None
        The figure over the peer's.
    mark : str or None
        What has to be reached, in words: "at least 1,000,000".
    met : bool or None
        Whether it is; None where there is no mark.
    """

    figure: str
    value: float
    unit: str
    peer: str | None = None
    ratio: float | None = None
    mark: str | None = None
    met: bool | None = None


def at_least(figure: str, value: float, unit: str, mark: float) -> Result:
    """Return a figure that has to reach a mark."""
    return Result(figure, value, unit, mark=f"at least {_number(mark)}", met=value >= mark)


def at_most(figure: str, value: float, unit: str, mark: float) -> Result:
    """Return a figure that must not pass a mark."""
    return Result(figure, value, unit, mark=f"at most {_number(mark)}", met=value <= mark)


def against(figure: str, value: float, unit: str, peer: str, peer_value: float) -> Result:
    """Return a figure beside a peer's, in the same unit."""
    return Result(
        figure, value, unit, peer=f"{peer}: {_number(peer_value)}", ratio=value / peer_value
    )


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
        "results": [asdict(result) for result in results],
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
        table.add_row(
            result.figure,
            _number(result.value),
            result.unit,
            result.peer or "",
            _number(result.ratio),
            result.mark or "",
            {None: "", True: "yes", False: "NO"}[result.met],
        )
    console.print(table)
    console.print(", ".join(f"{what}: {value}" for what, value in machine().items()))


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
