"""Whether promises are kept: 200 demo worlds whose true probabilities are known, and a bank."""

import argparse
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from promise_bank import BankStep, bank_steps
from promise_judging import Kept, Weeks, kept_promise, weekly_promotions
from promise_worlds import champion, judged_world
from real_projects import ROOT
from results import Result, against, at_least, write_results
from scipy.stats import binomtest
from threadpoolctl import threadpool_limits

from leadlight.models.policies import PrecisionPolicy

SEED = 0
LEADS, ASKED = 6_000, 15.0
CONFIDENCE = 0.9
PRECISIONS = (0.04, 0.06, 0.08)
"""Twice, three and four times the base rate of the worlds."""

BANK_PRECISIONS = (0.1, 0.2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="10 worlds, no bank")
    quick = parser.parse_args().quick
    data = Path(os.environ.get("LEADLIGHT_DATA", ROOT.parent / "shared" / "data"))
    kept: dict[float, list[Kept]] = {precision: [] for precision in PRECISIONS}
    weeks = []
    with threadpool_limits(limits=1):
        scoring = champion(6_000 if quick else 12_000)
        for seed in range(10 if quick else 200):
            world = judged_world(LEADS, seed, scoring)
            for precision, found in kept.items():
                policy = PrecisionPolicy(precision, CONFIDENCE)
                found.append(kept_promise(policy, world.held_out, world.later))
            weeks.append(weekly_promotions(ASKED, world.held_out, world.later))
        results = [row for told in kept.items() for row in promised(*told)]
        results += weekly(weeks)
        if not quick:
            results += bank(data)
    write_results("promise", results, seed=SEED, quick=quick)


def promised(precision: float, worlds: Sequence[Kept]) -> list[Result]:
    """Tell how the promise of a precision was kept, and what it cost."""
    about = f"precision {precision:.0%} at {CONFIDENCE:.0%}"
    given = [each for each in worlds if each.given]
    apart = np.array([each.apart for each in worlds if np.isfinite(each.apart)])
    later = [each for each in given if each.later_promotions]
    refused = 100 * (1 - len(given) / len(worlds))
    found = [Result(f"{about}: worlds refused", refused, f"% of {len(worlds)}")]
    if not given:
        return found
    truth = np.array([each.truth for each in given])
    recall = [each.recall for each in worlds if np.isfinite(each.recall)]
    won, promoted = (sum(getattr(each, name) for each in given) for name in ("won", "promotions"))
    return [
        *found,
        _kept(f"{about}: kept, by the truth", truth >= precision),
        *([_kept(f"{about}: kept among other leads", apart >= precision)] if len(apart) else []),
        Result(f"{about}: mean truth of the median world", 100 * float(np.median(truth)), "%"),
        Result(f"{about}: realised, all worlds", 100 * won / promoted, _interval(won, promoted)),
        Result(
            f"{about}: worlds whose realised interval lies below it",
            100 * np.mean([_high(each.won, each.promotions) < precision for each in given]),
            "%",
        ),
        Result(
            f"{about}: wins found of those that the truth would find, refusals as none",
            100 * float(np.mean(recall)),
            f"%, median {100 * float(np.median(recall)):.0f}",
        ),
        *_afterwards(about, precision, later),
    ]  # fmt: skip


def _afterwards(about: str, precision: float, later: Sequence[Kept]) -> list[Result]:
    if not later:
        return []
    won = sum(each.later_won for each in later)
    promoted = sum(each.later_promotions for each in later)
    held = [each.later >= precision for each in later]
    return [
        Result(f"{about}: four months after, realised", 100 * won / promoted,
               _interval(won, promoted)),
        Result(f"{about}: four months after, kept by the truth", 100 * float(np.mean(held)),
               f"% of {len(held)}"),
    ]  # fmt: skip


def weekly(worlds: Sequence[Weeks]) -> list[Result]:
    """Tell how the promotions of a week compare with the capacity asked for."""
    window, apart, later = (
        np.concatenate([getattr(each, name) for each in worlds])
        for name in ("window", "apart", "later")
    )
    return [
        _near("capacity: median week over the asked", window),
        _near("capacity: median week among other leads", apart),
        against("capacity: median week of the four months after", float(np.median(later)), "x",
                "leads then", float(np.median([each.leads for each in worlds]))),
    ]  # fmt: skip


def bank(data: Path) -> list[Result]:
    """Tell what was promised and what came in ten retrainings on the bank's calls."""
    found = []
    for precision in BANK_PRECISIONS:
        with tempfile.TemporaryDirectory() as place:
            policy = PrecisionPolicy(precision, CONFIDENCE)
            steps = bank_steps(policy, data, Path(place))
        found += _bank(f"bank, precision {precision:.0%}", precision, steps)
    return found


def _bank(about: str, precision: float, steps: Sequence[BankStep]) -> list[Result]:
    given = [step for step in steps if step.promoted]
    found = [Result(f"{about}: promised", len(given), f"of {len(steps)} retrainings")]
    for at, step in enumerate(steps, 1):
        if step.promoted:
            rates = f"base rate {step.base_rate:.1%}, then {step.later_rate:.1%}"
            realised = 100 * step.won / step.promoted
            interval = _interval(step.won, step.promoted)
            found.append(Result(f"{about}: retraining {at}, realised", realised, interval, rates))
    held = sum(step.won >= precision * step.promoted for step in given)
    return [*found, Result(f"{about}: realised at least what was promised", held,
                           f"of {len(given)}")]  # fmt: skip


def _kept(figure: str, held: np.ndarray) -> Result:
    """Return a share of worlds with its mark and its interval."""
    told = at_least(figure, 100 * float(held.mean()), "% of worlds", 100 * CONFIDENCE)
    interval = _interval(int(held.sum()), len(held))
    return Result(told.figure, told.value, interval, mark=told.mark, met=told.met)


def _near(figure: str, ratios: np.ndarray) -> Result:
    median = float(np.median(ratios))
    spread = "x, most {:.2f} to {:.2f}".format(*np.quantile(ratios, [0.1, 0.9]))
    return Result(figure, median, spread, mark="0.9 to 1.1", met=bool(0.9 <= median <= 1.1))


def _high(won: int, promoted: int) -> float:
    return float(binomtest(won, promoted).proportion_ci().high)


def _interval(won: int, promoted: int) -> str:
    """Say Clopper and Pearson's 95 % interval of a share."""
    low, high = binomtest(won, promoted).proportion_ci()
    return f"% of {promoted:,}: {100 * low:.1f} to {100 * high:.1f}"


if __name__ == "__main__":
    main()
