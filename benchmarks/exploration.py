"""Who is never followed up is never won: how far exploration mends what training then learns."""

import argparse
from dataclasses import dataclass

import numpy as np
import pandas as pd
from maturity import excess_log_loss, fitted
from maturity_worlds import KnownWorld, known_world
from numpy.typing import NDArray
from results import Result, against, at_most, write_results
from scipy.stats import t as student
from threadpoolctl import threadpool_limits

from leadlight.models.encoding import FloatArray
from leadlight.models.exploration import drawn_to_explore, effective_rows, follow_up_weight
from leadlight.models.maturity import KnownRows

SEED = 0
LEARNED_DAYS = 180
FOLLOWED_DAYS = 360
FOLLOWED_SHARE = 0.2
CANDIDATE = "logistic"
EVERYBODY, NOBODY, ALONE = "everybody followed up", "no exploration", "followed alone"

Rows = NDArray[np.intp]


@dataclass(frozen=True)
class Period:
    """Snapshots of a world while an incumbent decides who is followed up, and those after.

    Attributes
    ----------
    taught : DataFrame
        Snapshots to learn from.
    score : array
        Of each, by the incumbent.
    threshold : float
        From which the incumbent passes a lead to sales.
    test : DataFrame
        Later snapshots.
    low : array of bool
        Which of these the incumbent keeps back.
    """

    taught: pd.DataFrame
    score: FloatArray
    threshold: float
    test: pd.DataFrame
    low: NDArray[np.bool_]


def incumbent(world: KnownWorld) -> Period:
    """Let a model that knows fit alone, from the first months, decide who is followed up."""
    frame = world.frame
    begin = frame["as_of"].min() + pd.Timedelta(days=LEARNED_DAYS)
    end = begin + pd.Timedelta(days=FOLLOWED_DAYS)
    early = frame[frame["as_of"] < begin]
    taught = frame[(frame["as_of"] >= begin) & (frame["as_of"] < end)]
    test = frame[frame["as_of"] >= end]
    fit = tuple(feature for feature in world.features if feature.family == "fit")
    model = fitted(CANDIDATE, fit, early, known(early, early["label"].to_numpy(bool)))
    threshold = float(np.quantile(model.decision_function(taught), 1 - FOLLOWED_SHARE))
    return Period(
        taught,
        model.decision_function(taught),
        threshold,
        test,
        model.decision_function(test) < threshold,
    )


def known(
    frame: pd.DataFrame, won: NDArray[np.bool_], weight: FloatArray | None = None
) -> KnownRows:
    """Return all rows of a frame that weigh anything, with what is known of each."""
    weight = np.ones(len(frame)) if weight is None else weight
    rows = np.flatnonzero(weight > 0)
    return KnownRows(rows, won[rows], np.ones(len(rows), dtype=bool), weight[rows])


def treatments(period: Period, share: float, seed: int) -> dict[str, KnownRows]:
    """Return what there is to learn from, with this share explored; who is not followed is lost."""
    truth = period.taught["label"].to_numpy(dtype=bool)
    own = period.score >= period.threshold
    drawn = np.zeros(len(truth), dtype=bool)
    leads = period.taught["lead_id"].to_numpy(dtype=object)
    for as_of, at in period.taught.groupby("as_of").indices.items():
        instant = np.datetime64(as_of.tz_localize(None), "us")
        drawn[at] = drawn_to_explore(
            leads[at], as_of=instant, share=share, period_days=30, seed=seed
        )
    followed, everywhere = own | drawn, np.ones(len(truth), dtype=bool)
    chance = np.where(own, 1.0, share)
    name = f"{share:.0%} explored"
    return {
        EVERYBODY: known(period.taught, truth),
        NOBODY: known(period.taught, truth & own),
        ALONE: known(period.taught, truth, own.astype(np.float64)),
        f"{name}, unweighted": known(period.taught, truth & followed),
        name: known(period.taught, truth, follow_up_weight(followed, chance, everywhere)),
    }


def judge(world: KnownWorld, share: float, seed: int) -> pd.DataFrame:
    """Learn from each treatment, and compare with the true probabilities of what came after.

    Returns
    -------
    DataFrame
        treatment; low_ratio (promised over true probability of those that the incumbent keeps
        back); log_loss (above that of the truth, nats); won (mean true probability of the fifth
        that the new model ranks first); rows and effective rows to learn from.
    """
    period = incumbent(world)
    truth = period.test["true_probability"].to_numpy()
    first = len(truth) // 5
    found = []
    for name, told in treatments(period, share, seed).items():
        model = fitted(CANDIDATE, world.features, period.taught.iloc[told.rows], told)
        margin = model.decision_function(period.test)
        promised = 1 / (1 + np.exp(-margin))
        found.append(
            {
                "treatment": name,
                "low_ratio": promised[period.low].mean() / truth[period.low].mean(),
                "log_loss": excess_log_loss(truth, margin),
                "won": truth[np.argsort(-margin, kind="stable")[:first]].mean(),
                "rows": len(told.rows),
                "effective_rows": effective_rows(told.weight),
            }
        )
    return pd.DataFrame(found).assign(seed=seed, share=share)


def results(judged: pd.DataFrame) -> list[Result]:
    """Put each treatment beside no exploration, with 95 % intervals over worlds."""
    found = []
    for share, group in judged.groupby("share"):
        names = [f"{share:.0%} explored", f"{share:.0%} explored, unweighted"]
        if share == judged["share"].min():
            names = [ALONE, EVERYBODY, *names]
        by = {
            figure: group.pivot_table(index="seed", columns="treatment", values=figure)
            for figure in ("low_ratio", "log_loss", "won", "rows", "effective_rows")
        }
        for name in names:
            bias, base = (by["low_ratio"][each] - 1 for each in (name, NOBODY))
            found.append(
                against(f"{name}: bias of the promise to leads kept back", 100 * bias.mean(),
                        f"% ± {100 * _reach(bias):.1f}", NOBODY, 100 * base.mean())
            )  # fmt: skip
            for figure, unit in (
                ("log_loss", "nats above the truth"),
                ("won", "of the first 20 %"),
            ):
                values = by[figure][name]
                found.append(
                    against(f"{name}: {figure}", values.mean(), f"{unit} ± {_reach(values):.4f}",
                            NOBODY, by[figure][NOBODY].mean())
                )  # fmt: skip
            found.append(
                against(f"{name}: effective rows", by["effective_rows"][name].mean(), "rows",
                        "rows that teach", by["rows"][name].mean())
            )  # fmt: skip
        # World by world, so that too much in one does not make up for too little in another.
        astray = [float((by["low_ratio"][each] - 1).abs().mean()) for each in (names[-2], NOBODY)]
        left = 100 * astray[0] / astray[1]
        found.append(at_most(f"{names[-2]}: bias that is left of no exploration's", left, "%", 50))
    return found


def _reach(values: pd.Series) -> float:
    count = len(values)
    return float(student.ppf(0.975, count - 1) * values.std() / np.sqrt(count))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="3 small worlds, one share")
    quick = parser.parse_args().quick
    judged = []
    with threadpool_limits(limits=1):
        for seed in range(3 if quick else 10):
            world = known_world(leads=5_000 if quick else 15_000, years=3, seed=seed)
            shares = (0.1,) if quick else (0.02, 0.05, 0.1)
            judged += [judge(world, share, seed) for share in shares]
    write_results("exploration", results(pd.concat(judged)), seed=SEED, quick=quick)


if __name__ == "__main__":
    main()
