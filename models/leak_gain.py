"""What a suspected leak would add to a model: the gain in AUC on leads that came later."""

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from leadlight.features.leaks_leads import AuditedLeads
from leadlight.features.leaks_power import codes, cross_fitted, log_odds

_OLDER = 0.6


def leak_gains(leads: AuditedLeads, suspects: Collection[str]) -> dict[str, float]:
    """Return how much AUC each suspect adds to a quick additive model of all other columns.

    The model is a logistic regression on each value's log-odds (weights of evidence), learned on
    the oldest 60 % of leads and judged on the rest; without an order in time, on leads (whole
    accounts) put aside.

    Parameters
    ----------
    leads : AuditedLeads
    suspects : collection of str
        Columns of ``leads.values``; none of them is in the model that the others are added to.

    Returns
    -------
    dict of str to float
        Empty where too few leads were won to say.
    """
    older = _older(leads)
    if min(_classes(leads.won[older]), _classes(leads.won[~older])) < 2:
        return {}
    evidence = {
        str(told): _evidence(codes(values), leads, older) for told, values in leads.values.items()
    }
    honest = [score for told, score in evidence.items() if told not in suspects]
    base = _auc(honest, leads.won, older)
    return {told: _auc([*honest, evidence[told]], leads.won, older) - base for told in suspects}


def _evidence(
    code: NDArray[np.int64], leads: AuditedLeads, older: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Return log-odds that no lead's own outcome entered, so that noise gains no weight."""
    score = log_odds(code, leads.won, older)
    score[older] = cross_fitted(code[older], leads.won[older], leads.group[older])
    return score


def _older(leads: AuditedLeads) -> NDArray[np.bool_]:
    if np.isfinite(leads.order).all():
        return np.asarray(leads.order <= np.quantile(leads.order, _OLDER), dtype=np.bool_)
    return np.asarray(leads.group % 5 < 5 * _OLDER, dtype=np.bool_)


def _classes(won: NDArray[np.bool_]) -> int:
    return len(np.unique(won))


def _auc(
    columns: list[NDArray[np.float64]], won: NDArray[np.bool_], older: NDArray[np.bool_]
) -> float:
    if not columns:
        return 0.5
    x = np.column_stack(columns)
    model = LogisticRegression(max_iter=200).fit(x[older], won[older])
    return float(roc_auc_score(won[~older], model.decision_function(x[~older])))
