"""The true conversion probability of each lead at each monthly snapshot.

Two truths are kept, both exact sums over the known process and neither an estimate:

``latent_probability``
    P(win in the horizon | hidden state of interest now, fit, the company's hidden need). Nobody
    outside the world can know it.
``probability``
    P(win in the horizon | what could be seen before the snapshot): the lead's profile and its
    whole history of events, deals and silence, read by the forward algorithm of the hidden Markov
    chain. No model of one lead's data can have a lower expected log loss, so this is the best
    achievable score, and it is calibrated by construction: among snapshots with probability p, a
    share p converts.

``probability`` sees a little more than features can: profile fields before they were overwritten
or lost, late events when they happened, anonymous visits before they were linked, which rows are
duplicates, and who studies (students never buy, so theirs is 0). It sees less in one respect: only
the lead's own history, while leads of a company share its need. A model with features of the whole
account could in principle do better by that little.

References
----------
L. R. Rabiner, A tutorial on hidden Markov models, Proc. IEEE 77(2), 1989, section III.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .events import Evidence
from .journey import (
    COLD,
    EVALUATING,
    FIRST_STATE,
    TRANSITION,
    Deals,
    Journeys,
    deal_length,
    win_probability,
)
from .people import NEEDS, Leads, style_shares
from .rates import PAGE_SHARES, PROCESSES, mail_fates, process_rates
from .rhythm import COOLDOWN_STEPS, HORIZON_STEPS, Clock, Floats, Ints

_STATES = len(FIRST_STATE)
_STYLES = 3
_NEVER = np.iinfo(np.int64).max
_Beliefs = NDArray[np.float32]


@dataclass(frozen=True)
class Truth:
    """At-risk snapshots; arrays of one entry each.

    Attributes
    ----------
    lead : array of int64
        Index of the lead.
    step : array of int64
        The step at whose beginning the snapshot lies.
    probability, latent_probability : arrays of float64
        See the module.
    converted : array of int8
        Whether a win followed within the horizon: 0, 1, or -1 where the world ends before that.
    """

    lead: Ints
    step: Ints
    probability: Floats
    latent_probability: Floats
    converted: NDArray[np.int8]


def conversion_by_state(hazards: Floats, grid: tuple[int, ...]) -> Floats:
    """Return P(win within the horizon | at risk, state, fit, need) by backward recursion.

    Parameters
    ----------
    hazards : (steps, 4, fits, needs) array
        At least one horizon longer than the last snapshot.
    grid : tuple of int
        Steps at whose beginning the snapshots lie.

    Returns
    -------
    (snapshots, 4, fits, needs) array
    """
    first = np.array(grid)
    length, win = deal_length(), win_probability()[:, None]
    closed_within = np.concatenate([[0.0], np.cumsum(length)])
    ahead = np.zeros((HORIZON_STEPS + 1, len(grid), *hazards.shape[1:]))
    for step in reversed(range(HORIZON_STEPS)):
        left = HORIZON_STEPS - 1 - step
        # A deal lost early enough leaves a cold lead, who may open and win another in time.
        again = sum(
            (length[steps - 1] * ahead[step + steps + 1, :, COLD] for steps in range(1, left + 1)),
            start=np.zeros_like(ahead[0, :, COLD]),
        )
        deal = win * closed_within[left] + (1 - win) * again
        chance = hazards[first + step]
        stay = np.einsum("st,gtfn->gsfn", TRANSITION, ahead[step + 1])
        ahead[step] = chance * deal[:, None] + (1 - chance) * stay
    return np.asarray(ahead[0])


def _log_chances() -> Floats:
    """Log chance of each kind of evidence, (kinds, 4 states, 3 styles)."""
    visible = np.s_[:_STYLES, :_STATES]
    rates = np.log(process_rates()[(slice(None), *visible)]).transpose(0, 2, 1)
    pages = np.repeat(np.log(PAGE_SHARES[:_STATES].T)[:, :, None], _STYLES, axis=2)
    fates = np.log(mail_fates()[visible]).transpose(2, 1, 0)
    return np.concatenate([rates, pages, fates])


def _silence() -> tuple[Floats, Floats]:
    """Chance that a step passes without any event, (4, 3): after and before the creation."""
    rates = process_rates()[:, :_STYLES, :_STATES]
    return np.exp(-rates.sum(axis=0)).T, np.exp(-rates[PROCESSES.index("visit")]).T


class _Observer:
    """Holds, for each lead of a group, the belief over (state, style, need) as steps pass."""

    def __init__(self, leads: Leads, evidence: Evidence, hazards: Floats) -> None:
        count = len(leads)
        self._leads = leads
        self._hazards = np.ascontiguousarray(hazards.transpose(0, 1, 3, 2)).astype(np.float32)
        self._prior = (style_shares(leads.silent_share) / NEEDS).astype(np.float32)
        self._beliefs = np.zeros((_STATES, _STYLES, NEEDS, count), dtype=np.float32)
        self._held = np.zeros((_STYLES, NEEDS, count), dtype=np.float32)
        self._silence, self._unseen_silence = (
            part.astype(np.float32)[:, :, None, None] for part in _silence()
        )
        self._gather(evidence, count)

    def _gather(self, evidence: Evidence, count: int) -> None:
        """Multiply the chances of what happened in each (step, lead) cell."""
        key = evidence.step * count + evidence.lead
        order = np.argsort(key, kind="stable")
        cell, first = np.unique(key[order], return_index=True)
        logs = _log_chances()[evidence.kind[order]].reshape(len(order), -1)
        factors = np.add.reduceat(logs, first, axis=0) if len(cell) else logs
        # Only ratios between states matter; the largest becomes 1, so that nothing underflows.
        factors = np.exp(factors - factors.max(axis=1, keepdims=True)) if len(cell) else factors
        self._cell_step, self._cell_lead = np.divmod(cell, count)
        self._factors = factors.T.reshape(_STATES, _STYLES, 1, -1).astype(np.float32)

    def begin(self, step: int) -> None:
        """Meet the leads whose interest begins in this step."""
        new = np.flatnonzero(self._leads.first_step == step)
        start = FIRST_STATE.astype(np.float32)[:, None, None, None]
        self._beliefs[:, :, :, new] = start * self._prior[None, :, None, new]

    def watch(self, step: int) -> None:
        """Weigh what happened in this step, and what did not."""
        known = int(np.searchsorted(self._leads.created_step, step))
        self._beliefs[..., :known] *= self._silence
        self._beliefs[..., known:] *= self._unseen_silence
        cells = slice(*np.searchsorted(self._cell_step, (step, step + 1)))
        self._beliefs[..., self._cell_lead[cells]] *= self._factors[..., cells]

    def pass_step(self, step: int, opening: Ints) -> None:
        """Weigh who opened a deal and who did not, and let the states move on."""
        known = int(np.searchsorted(self._leads.created_step, step))
        chance = self._hazards[step][:, :, self._leads.fit[:known]][:, None]
        opened = self._beliefs[..., opening] * chance[..., opening]
        self._held[..., opening] = opened.sum(axis=0)
        self._beliefs[..., :known] *= 1 - chance
        self._beliefs[..., opening] = 0
        before, moves = self._beliefs, TRANSITION.astype(np.float32)
        # Spelt out rather than a matrix product, whose rounding may depend on the threads.
        self._beliefs = np.stack([sum_of(before, moves[:, state]) for state in range(_STATES)])

    def release(self, lost: Ints) -> None:
        """Let the leads of lost deals begin anew, cold."""
        self._beliefs[COLD][..., lost] = self._held[..., lost]

    def expect(self, values: Floats, rows: Ints) -> Floats:
        """Return the expectation of values (4, fits, needs) under the beliefs about some leads."""
        beliefs = self._beliefs[..., rows].sum(axis=1, dtype=np.float64)
        value = values[:, self._leads.fit[rows], :].transpose(0, 2, 1)
        return np.asarray((beliefs * value).sum(axis=(0, 1)) / beliefs.sum(axis=(0, 1)))

    def rescale(self) -> None:
        """Make the beliefs sum to one again, so that nothing underflows."""
        total = self._beliefs.sum(axis=(0, 1, 2))
        self._beliefs /= np.where(total > 0, total, 1)


def sum_of(beliefs: _Beliefs, weights: _Beliefs) -> _Beliefs:
    """Weighted sum over the first axis, in order, leaving out zero weights."""
    total: _Beliefs = beliefs[0] * weights[0]
    for part, weight in zip(beliefs[1:], weights[1:], strict=True):
        if weight:
            total += part * weight
    return total


def true_probabilities(
    clock: Clock, leads: Leads, journeys: Journeys, evidence: Evidence, hazards: Floats
) -> Truth:
    """Work out both truths for all at-risk snapshots of a group of leads.

    Parameters
    ----------
    clock : Clock
    leads : Leads
    journeys : Journeys
    evidence : Evidence
    hazards : (steps + horizon, 4, fits, needs) array
    """
    grid = clock.grid()
    values = conversion_by_state(hazards, grid)
    observer = _Observer(leads, evidence, hazards)
    deals = journeys.deals
    won_step = np.full(len(leads), _NEVER)
    won_step[deals.lead[deals.won]] = deals.close_step[deals.won]
    at_risk_from = leads.created_step + 1
    parts = []
    for step in range(int(leads.first_step.min()), clock.steps + 1):
        if step in grid:
            rows = np.flatnonzero(at_risk_from <= step)
            observer.rescale()
            value = values[grid.index(step)]
            parts.append(
                _snapshot(clock, leads, journeys, observer, value, rows, step, won_step[rows])
            )
        if step == clock.steps:
            break
        observer.begin(step)
        observer.watch(step)
        opening, lost = _moves(deals, step)
        observer.pass_step(step, opening)
        observer.release(lost)
        at_risk_from[opening] = _NEVER
        at_risk_from[lost] = step + 1 + COOLDOWN_STEPS
    return join_truths(parts)


def _moves(deals: Deals, step: int) -> tuple[Ints, Ints]:
    opening = deals.lead[deals.open_step == step]
    lost = deals.lead[(deals.close_step == step) & ~deals.won]
    return opening, lost


def _snapshot(
    clock: Clock,
    leads: Leads,
    journeys: Journeys,
    observer: _Observer,
    values: Floats,
    rows: Ints,
    step: int,
    won_step: Ints,
) -> Truth:
    path = journeys.state
    # At the very end the chain has one more move to make, whose outcome nobody drew.
    if step < clock.steps:
        state = np.minimum(path[step, rows], EVALUATING)
        latent = values[state, leads.fit[rows], leads.need[rows]]
    else:
        latent = np.full(len(rows), np.nan)
    student = leads.student[rows]
    converted = (won_step < step + HORIZON_STEPS).astype(np.int8)
    if step + HORIZON_STEPS > clock.steps:
        converted[:] = -1
    return Truth(
        lead=rows,
        step=np.full(len(rows), step),
        probability=np.where(student, 0.0, observer.expect(values, rows)),
        latent_probability=np.where(student, 0.0, latent),
        converted=converted,
    )


def join_truths(parts: list[Truth], offsets: list[int] | None = None) -> Truth:
    """Join parts into one, adding an offset to the leads of each."""
    first = offsets or [0] * len(parts)
    return Truth(
        np.concatenate([part.lead + offset for part, offset in zip(parts, first, strict=True)]),
        np.concatenate([part.step for part in parts]),
        np.concatenate([part.probability for part in parts]),
        np.concatenate([part.latent_probability for part in parts]),
        np.concatenate([part.converted for part in parts]),
    )
