"""Label shift: how many of new leads will win, guessed from margins before labels are known.

The guess rests on one assumption that no unlabelled row can prove: that only the share of winners
has changed, while winners still look as winners did and losers as losers did. Where fewer leads
buy because the offer or the market has changed for the same kind of lead, it does not hold and
the guess is wrong. So it serves only where no label of late is mature.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit, logit

from .calibration import Calibration
from .log_odds import Floats

LEAST_ROWS = 200
"""New rows below which their share of wins is not guessed."""

_ROUNDS = 1000
_TOLERANCE = 1e-9
_EXTREME = 1e-4
# Twice the log likelihood ratio, 95 % point of chi squared with one degree of freedom.
_CLEARLY_SHIFTED = 3.841458820694124


@dataclass(frozen=True)
class ShiftedLevel:
    """A calibration at the level of new leads, whose labels are not known.

    Attributes
    ----------
    calibration : Calibration
        Unchanged where ``reason`` says why.
    base_rate : float
        Guessed share of wins among the new leads; that of before where nothing was changed.
    reason : str
        Why nothing was changed; empty where the level was shifted.
    """

    calibration: Calibration
    base_rate: float
    reason: str

    def sentence(self) -> str:
        """Say what was guessed, and on which assumption it rests."""
        if self.reason:
            return f"No label of late is mature, and the level stays as it was: {self.reason}."
        return (
            "No label of late is mature. By their scores, today's leads look as if "
            f"{self.base_rate:.2%} would win, and probabilities are on that level. It is a guess: "
            "it holds if winners still look as winners did, and only their share has changed."
        )


def shifted_level(margin: ArrayLike, calibration: Calibration, *, base_rate: float) -> ShiftedLevel:
    """Guess the level of new leads from their margins alone, where no recent label is mature.

    Expectation maximisation: the promised probabilities say how likely each margin is among
    winners and among losers; the share of winners that makes the new margins likeliest is sought.

    Parameters
    ----------
    margin : array of shape (n,)
        Log-odds of new leads.
    calibration : Calibration
    base_rate : float
        Share of wins, within (0, 1), among the leads that the calibration was fitted on.

    References
    ----------
    Saerens, Latinne & Decaestecker (2002), Adjusting the outputs of a classifier to new a priori
    probabilities: a simple procedure.
    """
    log_odds = calibration.log_odds(margin)
    base_rate = float(base_rate)
    if len(log_odds) < LEAST_ROWS:
        reason = f"{len(log_odds)} new leads are too few; {LEAST_ROWS} are needed"
        return ShiftedLevel(calibration, base_rate, reason)
    evidence = log_odds - float(logit(base_rate))  # log of how much likelier among winners
    share = _likeliest_share(evidence, base_rate)
    if share is None:
        reason = "the margins do not settle on a share of wins"
        return ShiftedLevel(calibration, base_rate, reason)
    ratio = 2.0 * (_log_likelihood(evidence, share) - _log_likelihood(evidence, base_rate))
    if ratio < _CLEARLY_SHIFTED:
        reason = "the margins fit the share of wins of before"
        return ShiftedLevel(calibration, base_rate, reason)
    by = float(logit(share) - logit(base_rate))
    return ShiftedLevel(calibration.shifted(by), share, "")


def _likeliest_share(evidence: Floats, base_rate: float) -> float | None:
    share = base_rate
    for _ in range(_ROUNDS):
        known = float(expit(evidence + logit(share)).mean())
        if not _EXTREME < known < 1.0 - _EXTREME:
            return None
        if abs(known - share) < _TOLERANCE:
            return known
        share = known
    return None


def _log_likelihood(evidence: Floats, share: float) -> float:
    """Return it less that of all being losers, which does not depend on the share."""
    return float(np.logaddexp(evidence + np.log(share), np.log1p(-share)).sum())
