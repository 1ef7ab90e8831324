"""What sales and the CRM write down: feedback on leads, amounts, stages, and overwritten fields."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .events import KIND, Events
from .journey import Deals
from .people import FIT_LEVELS, Accounts, Leads
from .rhythm import DAY, Clock, Floats, Ints
from .vocabulary import OPEN_STAGES, REJECTIONS

_JUDGED_AFTER = ("download", "webinar_attended", "demo_request", "trial_started", "form_submit")
_JUDGED_SHARE = 0.16
LIFECYCLE = (
    "subscriber", "lead", "marketingqualifiedlead", "salesqualifiedlead", "opportunity", "customer",
)  # fmt: skip


@dataclass(frozen=True)
class Feedback:
    """What sales said of the leads that the old points rule sent over, one verdict a lead.

    Attributes
    ----------
    lead : array of int64
    decided : array of int64
        Seconds since the world's beginning.
    accepted : array of bool
    reason : array of int64
        Index into the vocabulary's rejections; -1 for an accepted lead.
    """

    lead: Ints
    decided: Ints
    accepted: NDArray[np.bool_]
    reason: Ints


@dataclass(frozen=True)
class OverwrittenFields:
    """Contact fields that the CRM overwrites as a deal moves: as of the export, not of the past.

    Attributes
    ----------
    lifecycle : array of int64
        Index into ``LIFECYCLE``.
    score : array of int64
        The old points score; sales sets it to 90 and more for customers.
    contacted : array of int64
        Last contact by sales, seconds since the world's beginning; -1 for never.
    """

    lifecycle: Ints
    score: Ints
    contacted: Ints


@dataclass(frozen=True)
class DealTerms:
    """Money and stages of deals.

    Attributes
    ----------
    amount : array of float64
    open_stage : array of int64
        Index into the vocabulary's open stages.
    """

    amount: Floats
    open_stage: Ints


def give_feedback(
    rng: np.random.Generator, clock: Clock, accounts: Accounts, leads: Leads, events: Events
) -> Feedback:
    """Let sales judge leads some days after a deed that gave them points.

    The verdict depends on fit and on whether the lead studies, not on what is hidden.
    """
    is_deed = np.isin(events.kind, [KIND[kind] for kind in _JUDGED_AFTER])
    rows = np.flatnonzero(is_deed)
    rows = rows[rng.random(len(rows)) < _JUDGED_SHARE]
    decided = events.known[rows] + DAY + (rng.random(len(rows)) * 4 * DAY).astype(np.int64)
    order = np.lexsort((decided, events.lead[rows]))
    lead, first = np.unique(events.lead[rows][order].astype(np.int64), return_index=True)
    decided = decided[order][first]
    in_time = decided < clock.steps * 5 * DAY
    lead, decided = lead[in_time], decided[in_time]
    student = leads.student[lead]
    chance = 1 / (1 + np.exp(-0.9 * (leads.fit[lead].astype(np.float64) - FIT_LEVELS / 2)))
    accepted = (rng.random(len(lead)) < 0.06 + 0.86 * chance) & ~student
    reason = rng.integers(1, len(REJECTIONS), len(lead))
    account = leads.account[lead]
    small = (account >= 0) & (accounts.size[account] == 0) & (rng.random(len(lead)) < 0.6)
    reason = np.where(student, 0, np.where(small, 1, reason))
    return Feedback(lead, decided, accepted, np.where(accepted, -1, reason))


def overwrite_fields(
    rng: np.random.Generator, clock: Clock, leads: Leads, deals: Deals, feedback: Feedback
) -> OverwrittenFields:
    """Write the contact fields as they stand at the export: the demo world's deliberate leak."""
    count, end = len(leads), clock.steps * 5 * DAY
    stage = (rng.random(count) < 0.7).astype(np.int64)
    stage[feedback.lead] = np.where(feedback.accepted, 2, 1)
    score = rng.integers(0, 55, count) + 10 * stage
    contacted = np.full(count, -1, dtype=np.int64)
    contacted[feedback.lead] = feedback.decided
    np.maximum.at(contacted, deals.lead, np.where(deals.closed >= 0, deals.closed, deals.opened))
    stage[deals.lead[deals.closed < 0]] = 4
    customer = deals.lead[deals.won]
    stage[customer] = 5
    score[customer] = rng.integers(90, 101, len(customer))
    later = contacted[customer] + (rng.random(len(customer)) * 60 * DAY).astype(np.int64)
    contacted[customer] = np.minimum(later, end - 1)
    return OverwrittenFields(stage, score, contacted)


def agree_terms(
    rng: np.random.Generator, accounts: Accounts, leads: Leads, deals: Deals
) -> DealTerms:
    """Draw amounts, which grow with the company, and the stages of open deals."""
    account = leads.account[deals.lead]
    employees = np.where(account >= 0, accounts.employees[account], 8)
    amount = 900 * employees**0.45 * np.exp(0.5 * rng.standard_normal(len(deals.lead)))
    return DealTerms(
        amount=np.asarray(np.rint(amount / 50) * 50, dtype=np.float64),
        open_stage=rng.integers(0, len(OPEN_STAGES), len(deals.lead)),
    )
