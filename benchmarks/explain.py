"""Exact reasons a second: leadlight beside SHAP, LightGBM, XGBoost and EBM, on one thread.

leadlight is timed from the frame of features to every part, margin, probability and the top reasons
either way; its peers from a matrix that is encoded already to the parts alone.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from environments import python_of
from explain_case import FEATURES, ExplainCase
from features_runs import run_command
from maturity_worlds import KnownWorld, known_world
from quality_runs import scratch_folder
from results import Result, at_least, at_most, write_results

from leadlight.features.feature import Feature
from leadlight.models.encoding import LeadEncoder, feature_kinds

SEED = 0
MARKS = {"additive": 500_000.0, "pairs": 250_000.0}
"""Leads a second; of unlimited trees, which are opted into, none is set."""

_NAMES = {
    "additive": "leadlight additive",
    "pairs": "leadlight {pairs} pairs",
    "trees": "leadlight additive and unlimited trees",
}
_PEERS = {"shap": 500, "lightgbm": 1_000, "xgboost": 1_000, "ebm": 20_000}
"""Leads that each peer explains: as many as take a few seconds."""

_EXACT = 1e-9
_STOP_AFTER = 1800.0
_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
_HERE = Path(__file__).resolve().parent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer leads and one repeat")
    quick = parser.parse_args().quick
    os.environ.update(dict.fromkeys(_ONE_THREAD, "1"))  # of the processes that are measured
    environments = scratch_folder() / "environments"
    with tempfile.TemporaryDirectory() as folder:
        case = _case(Path(folder), leads=2_000 if quick else 6_000)
        ours = _facts(
            [sys.executable, "explain_leadlight.py"], case, 50_000 if quick else 200_000, quick
        )
        results = [each for name, facts in ours.items() for each in _leadlight(name, facts)]
        additive = ours["additive"]["rows_a_second"]
        for peer, rows in _PEERS.items():
            command = [python_of(peer, environments), "explain_contestant.py", peer]
            told = _facts(command, case, rows // 5 if quick else rows, quick)
            results += [
                each for what, facts in told.items() for each in _peer(what, facts, additive)
            ]
    write_results("explain", results, seed=SEED, quick=quick)


def _case(folder: Path, leads: int) -> ExplainCase:
    """Make a demo world and keep 90 of its features, evenly spread over the catalog."""
    world = known_world(leads, 2, SEED)
    features = _ninety(world)
    frame = world.frame[["lead_id", "account_id", "label", *(each.name for each in features)]]
    names = tuple(feature.name for feature in features)
    matrix = LeadEncoder(names, feature_kinds(features)).fit_transform(frame)
    return ExplainCase.write(folder, frame, matrix, features, taught=len(frame) * 2 // 3)


def _ninety(world: KnownWorld) -> list[Feature]:
    categories = [feature for feature in world.features if feature.kind == "category"]
    numbers = [feature for feature in world.features if feature.kind == "numeric"]
    spread = np.linspace(0, len(numbers) - 1, FEATURES - len(categories)).astype(int)
    kept = {*categories, *(numbers[at] for at in spread)}
    return [feature for feature in world.features if feature in kept]


def _facts(
    command: list[str], case: ExplainCase, rows: int, quick: bool
) -> Mapping[str, dict[str, Any]]:
    python, script, *named = command
    arguments = [*named, str(case.folder), str(rows), "1" if quick else "5", str(SEED)]
    run = run_command([python, str(_HERE / script), *arguments], time_limit=_STOP_AFTER)
    if run.stopped:
        message = f"{' '.join(command)}: stopped, {run.stopped}"
        raise RuntimeError(message)
    explainers: dict[str, dict[str, Any]] = run.facts["explainers"]
    return explainers


def _leadlight(name: str, facts: dict[str, Any]) -> list[Result]:
    what = _NAMES[name].format(**facts)
    many = facts["megabytes_of_many"] / facts["megabytes"]
    speed = facts["rows_a_second"]
    marked = name in MARKS
    return [
        at_least(what, speed, "rows/s", MARKS[name]) if marked else Result(what, speed, "rows/s"),
        Result(f"{what}, sentences too", facts["rows_in_words"], "rows/s"),
        at_most(f"{what}: fitted margin missed by", facts["distance"], "log-odds", _EXACT),
        at_most(f"{what}: sum of parts misses by", facts["sum"], "log-odds", _EXACT),
        Result(f"{what}: memory, 50,000 leads", facts["megabytes"], "MB"),
        at_most(f"{what}: memory, ten times as many", many, "", 1.1),
        Result(f"{what}: thresholds", facts["thresholds"], ""),
    ]


def _peer(what: str, facts: dict[str, Any], additive: float) -> list[Result]:
    speed = facts["rows_a_second"]
    return [
        Result(
            what,
            speed,
            "rows/s",
            peer=f"leadlight additive: {additive:,.0f}",
            ratio=speed / additive,
        ),
        Result(f"{what}: sum of parts misses by", facts["distance"], "log-odds"),
    ]


if __name__ == "__main__":
    main()
