"""What a policy came to, by the true probabilities that only the maker of the worlds knows."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from leadlight.features.errors import ImpossiblePolicyError
from leadlight.models.bootstrap import lead_clusters
from leadlight.models.policies import CapacityPolicy, Floors, PrecisionPolicy
from leadlight.models.promotions import HeldOutLeads, held_out_leads
from leadlight.models.threshold import choose_threshold

HORIZON_DAYS = 90
NO_FLOORS = Floors()
_VOLUMES = 200
_WEEKS = 30 / 7  # of a month of the demo's grid


@dataclass(frozen=True)
class Kept:
    """One promise in one world.

    Attributes
    ----------
    given : bool
        Whether the policy answered at all.
    truth : float
        Mean true probability of the window's promotions; NaN where it refused.
    promotions, won : int
        Of the window.
    apart : float
        Mean true probability of the promotions among half of the window's accounts, by a threshold
        that the other half gave; NaN where it gave none.
    later : float
        Mean true probability of the new promotions of the months afterwards; NaN without any.
    later_promotions, later_won : int
    recall : float
        Expected wins among the promotions over those of the best policy that knows the truth; 0
        where it refused, NaN where even that policy finds nobody.
    """

    given: bool
    truth: float
    promotions: int
    won: int
    apart: float
    later: float
    later_promotions: int
    later_won: int
    recall: float


@dataclass(frozen=True)
class Weeks:
    """Promotions a week over those asked for, of each month.

    Attributes
    ----------
    window, apart, later : array of shape (months,)
        Of the window that the threshold was chosen on; of the half of its leads that it was not
        chosen on; and of the months afterwards.
    leads : float
        How many times as many leads there are in those months as in the window.
    """

    window: np.ndarray
    apart: np.ndarray
    later: np.ndarray
    leads: float


def kept_promise(policy: PrecisionPolicy, held_out: pd.DataFrame, later: pd.DataFrame) -> Kept:
    """Ask for a promise, and see what it came to.

    Parameters
    ----------
    policy : PrecisionPolicy
    held_out, later : DataFrame
        See ``JudgedWorld``.
    """
    best = _best_expected_wins(policy.precision, held_out)
    apart = _apart(policy, held_out)
    threshold = _promised(policy, held_out)
    if threshold is None:
        none = float("nan")
        return Kept(False, none, 0, 0, apart, none, 0, 0, recall=0.0 if best > 0 else none)
    promoted = _promoted(held_out, threshold)
    new = later[_is_new(later, threshold)]
    return Kept(
        given=True,
        truth=float(promoted["true_probability"].mean()),
        promotions=len(promoted),
        won=int(promoted["label"].sum()),
        apart=apart,
        later=float(new["true_probability"].mean()),
        later_promotions=len(new),
        later_won=int(new["label"].sum()),
        recall=float(promoted["true_probability"].sum()) / best if best > 0 else float("nan"),
    )


def weekly_promotions(asked: float, held_out: pd.DataFrame, later: pd.DataFrame) -> Weeks:
    """Ask for a capacity, and count what came month by month.

    Parameters
    ----------
    asked : float
        New MQLs a week.
    held_out, later : DataFrame
        See ``JudgedWorld``.
    """
    whole = choose_threshold(CapacityPolicy(asked), held_out, NO_FLOORS, seed=0)
    is_first = _half(held_out)
    half = choose_threshold(CapacityPolicy(asked / 2), held_out[is_first], NO_FLOORS, seed=0)
    per_date = [frame.groupby("as_of").size().mean() for frame in (held_out, later)]
    return Weeks(
        window=_weekly(held_out, whole.threshold) / asked,
        apart=_weekly(held_out[~is_first], half.threshold) / (asked / 2),
        later=_weekly(later, whole.threshold) / asked,
        leads=per_date[1] / per_date[0],
    )


def _apart(policy: PrecisionPolicy, held_out: pd.DataFrame) -> float:
    is_first = _half(held_out)
    threshold = _promised(policy, held_out[is_first])
    if threshold is None:
        return float("nan")
    return float(_promoted(held_out[~is_first], threshold)["true_probability"].mean())


def _half(frame: pd.DataFrame) -> np.ndarray:
    """Return which rows belong to one half of the accounts."""
    return lead_clusters(frame) % 2 == 0


def _promised(policy: PrecisionPolicy, held_out: pd.DataFrame) -> float | None:
    try:
        return choose_threshold(policy, held_out, NO_FLOORS, seed=0).threshold
    except ImpossiblePolicyError:
        return None


def _promoted(frame: pd.DataFrame, threshold: float) -> pd.DataFrame:
    return frame.iloc[_leads(frame).promoted_at(threshold)]


def _leads(frame: pd.DataFrame, score: str = "probability") -> HeldOutLeads:
    scored = frame.assign(probability=frame[score])
    return held_out_leads(scored, {}, horizon_days=HORIZON_DAYS, sampled_share=1.0)


def _is_new(frame: pd.DataFrame, threshold: float) -> np.ndarray:
    leads = _leads(frame)
    return (leads.score >= threshold) & (leads.previous < threshold) & leads.counted


def _weekly(frame: pd.DataFrame, threshold: float) -> np.ndarray:
    """Return new promotions a week, month by month; the first date only says where leads stood."""
    months = np.unique(frame["as_of"])[1:]
    new = frame.loc[_is_new(frame, threshold), "as_of"].value_counts()
    return new.reindex(months, fill_value=0).to_numpy() / _WEEKS


def _best_expected_wins(precision: float, frame: pd.DataFrame) -> float:
    """Return the expected wins of the longest list whose true probabilities keep the precision."""
    leads = _leads(frame, "true_probability")
    truth = leads.probability
    highest = np.sort(frame.groupby("lead_id")["true_probability"].max())[::-1]
    volumes = np.unique(np.geomspace(1, len(highest), _VOLUMES).round().astype(int))
    lists = (truth[leads.promoted_at(highest[volume - 1])] for volume in volumes)
    return max((float(each.sum()) for each in lists if each.mean() >= precision), default=0.0)
