"""Feedback: what sales said of leads, beside what the model had said, and as labels of its own."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from .bootstrap import (
    Estimate,
    clustered_share,
    finite,
    lead_clusters,
    mean_interval,
)
from .encoding import FloatArray
from .evaluation import evaluate

_RESAMPLES = 200
_SNAPSHOT = ["lead_id", "as_of"]
_NO_REASON = "no reason given"


@dataclass(frozen=True)
class JudgedLeads:
    """Leads that sales judged alike, beside their probability and what became of them.

    Attributes
    ----------
    rows : int
        Decisions.
    probability : Estimate
        Mean probability of the latest snapshot before each decision.
    won : Estimate
        Share of these snapshots that were won within the horizon.
    """

    rows: int
    probability: Estimate
    won: Estimate

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for a JSON file."""
        return {
            "rows": self.rows,
            "mean_probability": finite(self.probability.value),
            "probability": self.probability.to_dict(),
            "won": self.won.to_dict(),
        }


@dataclass(frozen=True)
class FeedbackEvidence:
    """Decisions of sales beside held-out probabilities.

    Attributes
    ----------
    accepted, rejected : JudgedLeads
    by_reason : dict of str to JudgedLeads
        Rejections by their reason, the most frequent first.
    agreement : Estimate
        The chance that an accepted lead had the higher probability than a rejected one (AUC): 0.5
        where sales and score have nothing in common; NaN where only one kind of decision was made.
    """

    accepted: JudgedLeads
    rejected: JudgedLeads
    by_reason: dict[str, JudgedLeads]
    agreement: Estimate

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for a JSON file."""
        return {
            "rows": self.accepted.rows + self.rejected.rows,
            "accepted": self.accepted.rows,
            "rejected": self.rejected.rows,
            "mean_probability_accepted": finite(self.accepted.probability.value),
            "mean_probability_rejected": finite(self.rejected.probability.value),
            "by_verdict": {
                "accepted": self.accepted.to_dict(),
                "rejected": self.rejected.to_dict(),
            },
            "by_reason": [
                {"reason": reason, **leads.to_dict()} for reason, leads in self.by_reason.items()
            ],
            "agreement": self.agreement.to_dict(),
        }


def feedback_evidence(
    held_out: pd.DataFrame, judged: pd.DataFrame, *, seed: int
) -> FeedbackEvidence | None:
    """Put the decisions of sales beside the probabilities of a window that the model had not seen.

    Each decision is taken once, with the latest held-out snapshot of its lead before it.

    Parameters
    ----------
    held_out : DataFrame
        lead_id, account_id, as_of, label, probability.
    judged : DataFrame
        lead_id, as_of, decided_at, accepted, reason: each decision with each snapshot in whose
        horizon it fell.
    seed : int
        Of the bootstrap, which draws leads (accounts, where there are any).

    Returns
    -------
    FeedbackEvidence or None
        None where no held-out lead was judged.
    """
    met = judged.merge(held_out, on=_SNAPSHOT, validate="m:1").sort_values(
        ["decided_at", "lead_id", "as_of"]
    )
    met = met.drop_duplicates(["lead_id", "decided_at"], keep="last", ignore_index=True)
    if met.empty:
        return None
    accepted = met["accepted"].to_numpy(dtype=bool)
    probability = met["probability"].to_numpy(dtype=np.float64)
    agreement = Estimate(math.nan, math.nan, math.nan)
    if 0 < accepted.sum() < len(accepted):
        agreement = evaluate(probability, accepted, lead_clusters(met), seed=seed).auc
    rejected = met[~accepted]
    reason = rejected["reason"].fillna(_NO_REASON)
    times = reason.value_counts()
    return FeedbackEvidence(
        accepted=_judged(met[accepted], seed),
        rejected=_judged(rejected, seed),
        by_reason={
            name: _judged(rejected[reason == name], seed)
            for name in sorted(times.index, key=lambda name: (-times[name], name))
        },
        agreement=agreement,
    )


def feedback_weight(frame: pd.DataFrame, judged: pd.DataFrame) -> FloatArray:
    """Return what each snapshot weighs once the feedback of sales counts as a label of its own.

    One for its outcome, and one more where the verdict of sales says the same: rejected and not
    won, or accepted and won. Where they differ, the outcome alone counts. So a verdict moves the
    odds of the leads it was given for, and of those like them, by at most a factor of two. Of
    several decisions within the horizon the last one is the verdict.

    Parameters
    ----------
    frame : DataFrame of shape (n, any)
        Mature snapshots: lead_id, as_of, label.
    judged : DataFrame
        As for ``feedback_evidence``.

    Returns
    -------
    ndarray of shape (n,)
        1 or 2.
    """
    last = judged.sort_values("decided_at", kind="stable").drop_duplicates(_SNAPSHOT, keep="last")
    keys = pd.MultiIndex.from_frame(frame[_SNAPSHOT])
    verdict = last.set_index(_SNAPSHOT)["accepted"].reindex(keys)
    agrees = verdict.notna().to_numpy() & (verdict.eq(True).to_numpy() == frame["label"].to_numpy())
    return np.where(agrees, 2.0, 1.0)


def _judged(leads: pd.DataFrame, seed: int) -> JudgedLeads:
    codes = lead_clusters(leads)
    return JudgedLeads(
        rows=len(leads),
        probability=mean_interval(
            leads["probability"].to_numpy(dtype=np.float64), codes, resamples=_RESAMPLES, seed=seed
        ),
        won=clustered_share(leads["label"].to_numpy(dtype=bool), codes),
    )
