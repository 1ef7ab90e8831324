"""Young snapshots dropped, or weighted: which comes nearer to the true probabilities."""

import argparse
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np
import pandas as pd
from maturity_worlds import KnownWorld, known_world
from numpy.typing import NDArray
from results import Result, against, write_results
from scipy.optimize import brentq
from scipy.special import expit, log_expit
from scipy.stats import t as student
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits

from leadlight.features.catalog import Feature
from leadlight.models.bootstrap import lead_clusters
from leadlight.models.candidates import CandidateName, candidate
from leadlight.models.encoding import FloatArray, LeadEncoder, feature_kinds
from leadlight.models.lesson import Lesson
from leadlight.models.maturity import KnownRows, known_rows

SEED = 0
HORIZON_DAYS = 90  # of the demo world's truth
JUDGED_DAYS = 180
DROP, WEIGHT, CENSORING, ALL = "drop", "weight", "inverse censoring", "all, known only later"

Rows = NDArray[np.intp]
Treatments = Mapping[str, Callable[[pd.DataFrame, Rows, pd.Timestamp], KnownRows]]


def inverse_censoring(frame: pd.DataFrame, rows: Rows, cutoff: pd.Timestamp) -> KnownRows:
    """Weigh what is known by one over the chance that a snapshot is old enough to know it."""
    taken = frame.iloc[rows]
    followed = ((cutoff - taken["as_of"]) / pd.Timedelta(days=1)).to_numpy(dtype=np.float64)
    days = taken["win_after_days"].fillna(np.inf).to_numpy()
    won = days < followed
    told = won | (taken["label"].eq(False).to_numpy() & (followed >= HORIZON_DAYS))
    ascending = np.sort(followed)
    longer = len(rows) - np.where(
        won,
        np.searchsorted(ascending, days, side="right"),
        np.searchsorted(ascending, HORIZON_DAYS, side="left"),
    )
    weight = 1 / longer[told]
    weight = np.minimum(weight / weight.mean(), 20.0)
    return KnownRows(rows[told], won[told], followed[told] >= HORIZON_DAYS, weight)


def all_labels(frame: pd.DataFrame, rows: Rows, _: pd.Timestamp) -> KnownRows:
    """Return what nobody could know at the cutoff: the limit of any treatment."""
    label = frame["label"].to_numpy(dtype=bool)[rows]
    return KnownRows(rows, label, np.ones(len(rows), dtype=bool), np.ones(len(rows)))


TREATMENTS: Treatments = {
    DROP: partial(known_rows, horizon_days=HORIZON_DAYS, treatment="drop"),
    WEIGHT: partial(known_rows, horizon_days=HORIZON_DAYS, treatment="weight"),
    CENSORING: inverse_censoring,
    ALL: all_labels,
}


CANDIDATES: Mapping[CandidateName, dict[str, float]] = {
    "logistic": {"classify__C": 0.01},
    "boosted_additive": {"classify__max_iter": 50},
}
"""Settings that suit few wins, the same for each treatment."""


def fitted(
    name: CandidateName, features: Sequence[Feature], taught: pd.DataFrame, known: KnownRows
) -> Pipeline:
    """Fit a candidate on what was known."""
    names = tuple(feature.name for feature in features)
    encoder = LeadEncoder(names, feature_kinds(features)).fit(taught)
    lesson = Lesson(encoder.transform(taught), known.won, known.weight, lead_clusters(taught))
    pipeline = candidate(name, features, lesson, seed=SEED).set_params(**CANDIDATES[name])
    pipeline.fit(
        lesson.matrix,
        lesson.won,
        levels__groups=lesson.cluster,
        classify__sample_weight=lesson.weight,
    )
    return Pipeline([("encode", encoder), *pipeline.steps])


def judge(world: KnownWorld, history_days: int) -> pd.DataFrame:
    """Fit each candidate on what each treatment knew after so many days; compare with the truth.

    Returns
    -------
    DataFrame
        candidate, treatment, wins (to learn from), log_loss (above that of the truth, nats) as
        fitted and with the level set right, brier (mean squared distance from the truth).
    """
    frame = world.frame
    cutoff = frame["as_of"].min() + pd.Timedelta(days=history_days)
    earlier = np.flatnonzero(frame["as_of"] < cutoff)
    until = cutoff + pd.Timedelta(days=JUDGED_DAYS)
    test = frame[(frame["as_of"] >= cutoff) & (frame["as_of"] < until)]
    truth = test["true_probability"].to_numpy()
    found = []
    for treatment, known_by in TREATMENTS.items():
        known = known_by(frame, earlier, cutoff)
        for name in CANDIDATES:
            pipeline = fitted(name, world.features, frame.iloc[known.rows], known)
            margin = pipeline.decision_function(test)
            found.append(
                {
                    "candidate": name,
                    "treatment": treatment,
                    "wins": int(known.won.sum()),
                    "log_loss": excess_log_loss(truth, margin),
                    "level_set": excess_log_loss(truth, margin + _shift(truth, margin)),
                    "brier": float(np.mean((expit(margin) - truth) ** 2)),
                }
            )
    return pd.DataFrame(found).assign(days=history_days)


def excess_log_loss(truth: FloatArray, margin: FloatArray) -> float:
    """Return the expected log loss above that of the truth: the mean divergence from it."""
    sure = np.clip(truth, 1e-12, 1 - 1e-12)
    expected = -(truth * log_expit(margin) + (1 - truth) * log_expit(-margin))
    best = -(truth * np.log(sure) + (1 - truth) * np.log1p(-sure))
    return float((expected - best).mean())


def _shift(truth: FloatArray, margin: FloatArray) -> float:
    """Return what the calibration's level is there to find."""
    return float(brentq(lambda level: expit(margin + level).mean() - truth.mean(), -20, 20))


def results(judged: pd.DataFrame) -> list[Result]:
    """Put each treatment beside dropping, paired over worlds, with a 95 % interval."""
    found = []
    for (days, name), group in judged.groupby(["days", "candidate"], sort=False):
        where = f"{round(days / 30)} months, {name}"
        wins = group.groupby("treatment")["wins"].mean()
        found.append(against(f"{where}: wins known", wins[WEIGHT], "wins", DROP, wins[DROP]))
        for figure in ("log_loss", "level_set", "brier"):
            worlds = group.pivot_table(index="seed", columns="treatment", values=figure)
            for treatment in (WEIGHT, CENSORING, ALL):
                value, peer = worlds[treatment].mean(), worlds[DROP].mean()
                more = _interval(worlds[treatment] - worlds[DROP])
                found.append(against(f"{where}: {figure}, {treatment}", value, more, DROP, peer))
    return found


def _interval(differences: pd.Series) -> str:
    count = len(differences)
    reach = student.ppf(0.975, count - 1) * differences.std() / np.sqrt(count)
    return f"more by {differences.mean():+.5f} ± {reach:.5f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="3 small worlds, 8 months")
    quick = parser.parse_args().quick
    histories = (240,) if quick else (150, 240, 360)
    judged = []
    with threadpool_limits(limits=1):
        for seed in range(3 if quick else 10):
            world = known_world(leads=5_000 if quick else 15_000, years=2, seed=seed)
            judged += [judge(world, days).assign(seed=seed) for days in histories]
    write_results("maturity", results(pd.concat(judged)), seed=SEED, quick=quick)


if __name__ == "__main__":
    main()
