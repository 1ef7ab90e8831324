"""Agreement kept: conversion, estimated performance, MQL volume and acceptance, as promised or not.

Chances come from scipy: a negative binomial tail for the number of new MQLs, which owns up to how
well the agreed number was known, Fisher's exact test for the share that sales accepts.
"""

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import fisher_exact, nbinom

from .alarms import Finding, Limits
from .estimated_performance import EstimatedPerformance
from .promise_kept import PromiseKept, promise_kept


def conversion_finding(
    probability: ArrayLike, won: ArrayLike, cluster: ArrayLike | None, limits: Limits
) -> tuple[PromiseKept, Finding]:
    """Hold the conversion of mature scores against their promise.

    Parameters
    ----------
    probability, won, cluster : arrays of shape (n,)
        As ``promise_kept`` takes them.
    limits : Limits
    """
    # What would matter is judged below; chance grants a fifth of it to calibration.
    told = promise_kept(probability, won, cluster, margin=limits.conversion_margin / 5)
    finding = Finding(
        "base rate",
        "conversion",
        told.p_value,
        abs(told.ratio - 1) > limits.conversion_margin,
        "act",
        f"Of {told.leads:,} leads whose time is over {told.realised:,.0f} were won where "
        f"{told.promised:,.0f} were promised: {told.ratio:.2f} times (95 % interval "
        f"{told.low:.2f} to {told.high:.2f}).",
    )
    return told, finding


def estimated_finding(
    before: EstimatedPerformance, now: EstimatedPerformance, score_p_value: float, limits: Limits
) -> Finding:
    """Hold the estimated AUC against that of the held-out window, estimated in the same way.

    It changes only where the distribution of scores does, so its chance is that of the score's
    drift.
    """
    return Finding(
        "estimated performance",
        "AUC",
        score_p_value,
        before.auc - now.auc >= limits.auc_drop,
        "attention",
        f"By their own probabilities today's scores have an AUC of {now.auc:.3f}; those of the "
        f"held-out window had {before.auc:.3f}.",
    )


def volume_finding(
    new_mqls: int, weeks: float, agreed: float, error: float, limits: Limits
) -> Finding:
    """Hold the number of new MQLs against the agreement.

    Parameters
    ----------
    new_mqls : int
        Leads that became MQLs.
    weeks : float
        In how long.
    agreed : float
        A week.
    error : float
        Its standard error: the agreed number was counted on one window.
    limits : Limits
    """
    expected = max(agreed * weeks, 1e-9)
    ratio = new_mqls / expected
    extra = max((error / agreed) ** 2, 1e-6) if agreed > 0 else 1e-6
    size, chance = 1 / extra, 1 / (1 + expected * extra)
    low, high = nbinom.cdf(new_mqls, size, chance), nbinom.sf(new_mqls - 1, size, chance)
    return Finding(
        "MQL volume",
        "new MQLs",
        float(min(1.0, 2 * min(low, high))),
        not 1 / limits.mql_ratio < ratio < limits.mql_ratio,
        "attention",
        f"{new_mqls:,} new MQLs in {weeks:.1f} weeks; agreed are {agreed:.1f} a week.",
    )


def acceptance_finding(now: tuple[int, int], before: tuple[int, int], limits: Limits) -> Finding:
    """Hold the share of MQLs that sales accepts against that of the months before.

    Parameters
    ----------
    now, before : (accepted, rejected)
    limits : Limits
    """
    share_now, share_before = (part[0] / max(sum(part), 1) for part in (now, before))
    p_value = fisher_exact(np.array([now, before]), alternative="less").pvalue
    return Finding(
        "sales acceptance",
        "verdicts",
        float(p_value),
        share_before - share_now >= limits.acceptance_drop,
        "attention",
        f"Sales accepted {share_now:.0%} of {sum(now):,} MQLs in the last four weeks; before, "
        f"{share_before:.0%}.",
    )
