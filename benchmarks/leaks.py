"""How many leaks the audit finds, and how often it cries wolf: made-up worlds and public data."""

import argparse
import os
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from leaks_real import KNOWN, NEAR, flat_leaks, labels, real_project
from leaks_worlds import (
    COLUMNS,
    NEUTRAL,
    inject_column,
    inject_event,
    inject_history,
    make_clean,
    write_config,
)
from results import Result, at_least, at_most, write_results

from leadlight.pipelines.check import check
from leadlight.pipelines.config import load_config
from leadlight.pipelines.progress import Progress

ROOT = Path(__file__).resolve().parent.parent
EVENTS = {
    "event a minute before the win": (0.0, (-0.001, 0.0)),
    "event up to a week after the win": (0.0, (0.0, 7.0)),
    "event at the win, 2 % of others too": (0.02, (-0.001, 0.5)),
}
HISTORIES = {
    "history: set within a day after the close": (0.0, 1.0),
    "history: written months after the close": (60.0, 180.0),
}


@dataclass(frozen=True)
class Case:
    """One leak, and what the audit said of it; ``others``: what else it found."""

    kind: str
    verdict: str | None
    others: tuple[str, ...]


def audited(config: Path) -> list[dict[str, Any]]:
    return list(check(load_config(config), Progress(quiet=True)).leaks.leaks)


def case(kind: str, leaks: list[dict[str, Any]], name: str) -> Case:
    verdict = next((leak["verdict"] for leak in leaks if leak["column"] == name), None)
    others = tuple(f"{leak['table']}.{leak['column']}" for leak in leaks if leak["column"] != name)
    return Case(kind, verdict, others)


def made_up(seed: int, leads: int) -> Iterator[Case]:
    """Put each leak in turn into a clean world of its own."""
    for kind in (*COLUMNS, *EVENTS, *HISTORIES):
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place)
            made = make_clean(seed, leads, folder)
            if kind in COLUMNS:
                inject_column(folder, COLUMNS[kind](made))
            elif kind in EVENTS:
                inject_event(folder, made, *EVENTS[kind])
            else:
                inject_history(folder, made, HISTORIES[kind])
            config = write_config(folder, events=kind in EVENTS, history=kind in HISTORIES)
            yield case(kind, audited(config), NEUTRAL)


def clean(seed: int, leads: int) -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory() as place:
        make_clean(seed, leads, Path(place))
        return audited(write_config(Path(place)))


def into_real(name: str, data: Path, seed: int) -> Iterator[Case]:
    """Put each leak in turn among the honest columns of a flat table."""
    with tempfile.TemporaryDirectory() as place:
        config = real_project(name, data, Path(place), honest=True)
        path = Path(place) / "leads.csv"
        honest = pd.read_csv(path, dtype=str, keep_default_na=False)
        won = labels(name, Path(place))
        for kind, values in flat_leaks(won, np.random.default_rng([seed, 8])).items():
            honest.assign(**{NEUTRAL: values}).to_csv(path, index=False)
            yield case(kind, audited(config), NEUTRAL)


def table(title: str, cases: list[Case]) -> None:
    rows = pd.DataFrame(
        [{"kind": each.kind, "verdict": each.verdict or "missed"} for each in cases]
    )
    counts = pd.crosstab(rows["kind"], rows["verdict"])
    print(f"\n{title}\n{counts.to_string()}")


def recall(cases: list[Case]) -> float:
    return sum(each.verdict is not None for each in cases) / len(cases)


def known_leaks(data: Path) -> Iterator[Result]:
    """Report which of the known leaks of the public data are found, and what else is."""
    for name, known in KNOWN.items():
        with tempfile.TemporaryDirectory() as place:
            config = real_project(name, data, Path(place))
            started = time.perf_counter()
            leaks = audited(config)
            seconds = time.perf_counter() - started
        found = {f"{leak['table']}.{leak['column']}": leak for leak in leaks}
        missed = [each for each in known if each not in found]
        others = set(found) - set(known) - NEAR.get(name, set())
        print(
            f"\n{name}: missed {missed or 'none'}; honest but flagged: {sorted(others) or 'none'}"
        )
        for told, leak in found.items():
            gain = "" if leak["auc_gain"] is None else f"{leak['auc_gain']:+.3f} AUC"
            print(f"  {leak['verdict']:8} {told:40} {gain:12} {leak['reason']}")
        share = 1 - len(missed) / len(known)
        yield at_least(f"{name}: known leaks found, of {len(known)}", share, "share", 1.0)
        yield at_most(f"{name}: honest columns and kinds flagged", len(others), "columns", 0.0)
        yield Result(f"{name}: check", seconds, "s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one world a leak, ten clean worlds")
    quick = parser.parse_args().quick
    seeds, worlds, leads = (1 if quick else 5), (10 if quick else 50), 3000
    cases = [each for seed in range(seeds) for each in made_up(2000 + seed, leads)]
    table("Leaks put into clean worlds", cases)
    alarms = [leak for seed in range(worlds) for leak in clean(seed, leads)]
    for leak in alarms:
        print(f"false alarm: {leak['verdict']} {leak['table']}.{leak['column']}: {leak['reason']}")
    certain = sum(leak["verdict"] == "certain" for leak in alarms)
    results = [
        at_least(f"leaks found in clean worlds, of {len(cases)}", recall(cases), "share", 0.95),
        at_most(f"false alarms in {worlds} clean worlds", len(alarms), "columns", 0.02 * worlds),
        at_most("  of them certain", certain, "columns", 0.0),
        at_most(
            "honest columns flagged beside a leak",
            sum(len(each.others) for each in cases), "columns", 0.02 * len(cases),
        ),
    ]  # fmt: skip
    data = Path(os.environ.get("LEADLIGHT_DATA", ROOT.parent / "shared" / "data"))
    if data.is_dir():
        for name in ("bank", "xeducation"):
            real = [each for seed in range(seeds) for each in into_real(name, data, seed)]
            table(f"Leaks put among the honest columns of {name}", real)
            others = sorted({told for each in real for told in each.others})
            results += [
                at_least(f"leaks found in {name}, of {len(real)}", recall(real), "share", 0.95),
                at_most(f"honest columns of {name} flagged", len(others), "columns", 0.0),
            ]
        results += known_leaks(data)
    write_results("leaks", results, seed=0, quick=quick)


if __name__ == "__main__":
    main()
