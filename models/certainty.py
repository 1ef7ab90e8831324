"""Certainty: what share of the leads with a score like this one did convert."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit


@dataclass(frozen=True)
class Certainty:
    """The 95 % interval of a probability, from how such probabilities came true.

    Attributes
    ----------
    low, high : float
        Between them lies the share of leads of such a score that convert; they hold the
        probability itself.
    rows : int
        Snapshots of the last window, in the groups next to this score, that this rests on.
    """

    low: float
    high: float
    rows: int


def certainty_of(
    probability: float, reliability: Sequence[Mapping[str, float | None]]
) -> Certainty | None:
    """Return how sure a probability is; None where the test window has no group to judge by.

    Each group of the reliability curve tells by how much log-odds the ends of its clustered
    interval of the share won lie off what was promised. Between groups that is drawn out in
    straight lines, beyond the first and last it stays as it is. It tells how sure the *score* is:
    of leads of this score, in a time the model had not seen, so many converted.

    Parameters
    ----------
    probability : float
        Calibrated.
    reliability : sequence of mappings
        ``predicted``, ``low``, ``high``, ``rows`` of each group: ``Evaluation.reliability``.
    """
    groups = sorted(
        (predicted, low, high, int(rows))
        for predicted, low, high, rows in (
            (row["predicted"], row["low"], row["high"], row["rows"]) for row in reliability
        )
        if predicted is not None and low is not None and high is not None and rows
    )
    if not groups:
        return None
    promised, low, high, rows = (np.array(column) for column in zip(*groups, strict=True))
    # A group without a single win, or loss, has no finite log-odds; half a lead is as good.
    least = 0.5 / rows
    at = logit(np.clip(promised, 1e-9, 1 - 1e-9))
    ends = [logit(np.clip(end, least, 1 - least)) - at for end in (low, high)]
    place = float(logit(np.clip(probability, 1e-9, 1 - 1e-9)))
    below, above = (float(np.interp(place, at, end)) for end in ends)
    near = np.argsort(np.abs(at - place), kind="stable")[:2]
    return Certainty(
        low=float(expit(place + min(below, 0.0))),
        high=float(expit(place + max(above, 0.0))),
        rows=int(rows[near].sum()),
    )
