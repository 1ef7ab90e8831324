"""The lifecycle: from the last status, new scores and new facts to the next status.

The first rule that applies to a lead decides, in this order:

1. A customer stays one; a win makes one.
2. Where the CRM's own stage is the authority, it decides.
3. Ruled out by sales, a lead stays ``disqualified``.
4. An open deal is in the hands of sales: ``sql``.
5. After a rejection by sales or a lost deal a lead is ``recycled``, and cools down.
6. A lead that sales accepted is ``sql``.
7. A lead that unsubscribed or does not fit is not promoted, and no ``mql``.
8. A hand-raise goes straight to ``sql``.
9. Silence recycles an ``mql`` after its minimum stay, and an ``sql`` that nobody works on.
10. An ``mql`` whose score faded below the lower threshold (or floor) is recycled after its stay.
11. A score that reaches threshold and floors makes an ``mql``, unless the lead is silent; one that
    is recycled must have rested for the minimum stay, and have done something since.
12. Exploration draws a share of those that only the threshold keeps back.

All is arithmetic over arrays; no rule looks at one lead at a time.
"""

from dataclasses import dataclass, fields
from typing import Self

import numpy as np
from numpy.typing import NDArray

from .states import REASON_CODES, REASONS, Codes, State

Times = NDArray[np.datetime64]
Flags = NDArray[np.bool_]
Floats = NDArray[np.float64]

_KEPT = -1
_NEVER = np.datetime64("NaT", "us")


@dataclass(frozen=True)
class Rules:
    """What moves a lead; days unless said otherwise.

    Attributes
    ----------
    min_stay_days : int
        Least time as ``mql`` before score or silence may recycle, and as ``recycled`` before a
        score may promote again.
    silence_days : int
        So long without an act of its own, a lead is silent.
    hand_raise_days : int
        How long a hand-raise waits to be answered.
    cooldown_days : int
        After a rejection by sales.
    lost_cooldown_days : int
        After a lost deal; the at-risk population's.
    exploration_share : float
        Chance of a lead below the threshold to be tried; 0: none is.
    """

    min_stay_days: int = 14
    silence_days: int = 60
    hand_raise_days: int = 30
    cooldown_days: int = 90
    lost_cooldown_days: int = 90
    exploration_share: float = 0.0


@dataclass(frozen=True, eq=False)
class _Rows:
    """Arrays of one entry for each lead."""

    def taken(self, rows: NDArray[np.intp] | Flags) -> Self:
        """Return some of the leads."""
        return type(self)(*(getattr(self, each.name)[rows] for each in fields(self)))


@dataclass(frozen=True, eq=False)
class Status(_Rows):
    """Where leads stand; arrays of shape (n,).

    Attributes
    ----------
    state : array of int8
        Code of a ``State``; -1 for a lead that was not known yet.
    since : array of datetime64[us]
        UTC: the run that moved it there; for a ``lead``, its creation.
    reason : array of int8
        Code of a ``Reason``.
    explored : array of bool
        Whether exploration alone put it into the hands of sales.
    propensity : array of float64
        Chance with which it was passed to sales, 0 to 1; NaN where it was not.
    """

    state: Codes
    since: Times
    reason: Codes
    explored: Flags
    propensity: Floats

    @classmethod
    def unknown(cls, rows: int) -> Self:
        """Return the status of leads of which nothing is known."""
        nobody = np.full(rows, -1, dtype=np.int8)
        return cls(
            nobody, np.full(rows, _NEVER), nobody, np.zeros(rows, bool), np.full(rows, np.nan)
        )


@dataclass(frozen=True, eq=False)
class Facts(_Rows):
    """What is known of leads strictly before the run's ``as_of``; arrays of shape (n,).

    Times are datetime64[us] in UTC, NaT for never.

    Attributes
    ----------
    created_at : array of datetime64[us]
    last_activity_at : array of datetime64[us]
        Last act of its own, its creation at least; NaT where nothing is recorded of acts.
    hand_raised_at, won_at, lost_at : arrays of datetime64[us]
        The last of each.
    accepted_at, rejected_at : arrays of datetime64[us]
        Of the last verdict of sales, which is one of the two.
    open_deal, disqualified, unsubscribed : arrays of bool
        ``disqualified``: the last verdict is a rejection for good.
    bad_fit : array of int8
        Number of the rule that says so, -1 for none.
    crm_state : array of int8
        Code of the state that the CRM sets, -1 where it sets none.
    """

    created_at: Times
    last_activity_at: Times
    hand_raised_at: Times
    won_at: Times
    lost_at: Times
    accepted_at: Times
    rejected_at: Times
    open_deal: Flags
    disqualified: Flags
    unsubscribed: Flags
    bad_fit: Codes
    crm_state: Codes


@dataclass(frozen=True, eq=False)
class Verdicts(_Rows):
    """What a score means for a promotion; arrays of shape (n,).

    Attributes
    ----------
    probability : array of float64
        NaN for leads that are not scored.
    qualifies : array of bool
        Reaches the threshold and the floors of an MQL.
    holds : array of bool
        Reaches the lower ones, below which an MQL has faded.
    above_floors : array of bool
    """

    probability: Floats
    qualifies: Flags
    holds: Flags
    above_floors: Flags

    @classmethod
    def of(
        cls,
        probability: Floats,
        percentiles: tuple[Floats, ...],
        *,
        threshold: Floats | float,
        floors: tuple[float, ...],
        hysteresis: float,
    ) -> Self:
        """Compare scores with the MQL definition and with its lower edge.

        Parameters
        ----------
        probability : array of shape (n,)
        percentiles : tuple of arrays of shape (n,)
            Of fit and engagement, 0 to 1; NaN where there is none, which meets any floor.
        threshold : float or array of shape (n,)
        floors : tuple of float
            As many as there are percentiles.
        hysteresis : float
            Share of threshold and floors that still holds an MQL, 0 to 1.
        """
        above = np.ones(len(probability), dtype=bool)
        held = probability >= threshold * hysteresis
        for percentile, floor in zip(percentiles, floors, strict=True):
            above &= ~(percentile < floor)
            held &= ~(percentile < floor * hysteresis)
        return cls(probability, (probability >= threshold) & above, held, above)


def next_status(
    previous: Status,
    facts: Facts,
    verdicts: Verdicts,
    rules: Rules,
    *,
    as_of: np.datetime64,
    drawn: Flags,
) -> Status:
    """Return where leads stand after a run.

    Parameters
    ----------
    previous : Status of n leads
        After the run before; ``Status.unknown`` at the first.
    facts : Facts of n leads
    verdicts : Verdicts of n leads
    rules : Rules
    as_of : datetime64
        UTC; the instant of the run.
    drawn : array of bool, shape (n,)
        Whom exploration drew; see ``drawn_to_explore``.
    """
    known = previous.state >= 0
    before = np.where(known, previous.state, np.int8(State.LEAD))
    since = np.where(known, previous.since, facts.created_at)
    reason = _first_reason(
        _Situation(before, since, previous.explored, facts, verdicts, rules, as_of, drawn)
    )
    target = np.where(reason == _KEPT, before, _TARGETS[reason])
    target = np.where(reason == REASON_CODES["crm_stage"], facts.crm_state, target).astype(np.int8)
    moved = target != before
    fresh = np.where(known, previous.reason, np.int8(REASON_CODES["new"]))
    explored, propensity = _passed(previous, reason, target, moved, verdicts, rules)
    return Status(
        state=target,
        since=np.where(moved, as_of.astype("datetime64[us]"), since),
        reason=np.where(moved, reason, fresh).astype(np.int8),
        explored=explored,
        propensity=propensity,
    )


# The CRM's own target is looked up elsewhere; the last entry serves the reason that there is none.
_TARGETS = np.array([-1 if each.to is None else each.to for each in REASONS] + [-1], dtype=np.int8)


def _passed(
    previous: Status,
    reason: Codes,
    target: Codes,
    moved: Flags,
    verdicts: Verdicts,
    rules: Rules,
) -> tuple[Flags, Floats]:
    """Return who is in the hands of sales by exploration, and with what chance each is there.

    One that was tried, and then reaches the threshold or raises its hand, would be there without
    the draw too: from then on its chance is one.
    """
    tried = moved & (reason == REASON_CODES["exploration"])
    own = moved & ((target == State.MQL) | (target == State.SQL)) & (previous.state != State.MQL)
    held = (target == State.MQL) | (target == State.SQL)
    earned = held & (verdicts.qualifies | (reason == REASON_CODES["hand_raise"]))
    explored = (previous.explored & held & ~earned) | tried
    propensity = np.where(held, previous.propensity, np.nan)
    propensity = np.where(own | earned, 1.0, propensity)
    return explored, np.where(tried, rules.exploration_share, propensity)


@dataclass(frozen=True, eq=False)
class _Situation:
    """Leads at the instant of a run, as the rules ask about them."""

    state: Codes
    since: Times
    explored: Flags
    facts: Facts
    verdicts: Verdicts
    rules: Rules
    as_of: np.datetime64
    drawn: Flags

    def ago(self, days: int) -> np.datetime64:
        return self.as_of - np.timedelta64(days, "D")

    def cooling(self) -> tuple[Flags, Flags]:
        """Return who cools down after a lost deal, and who after a rejection that ends later."""
        rejected = self.facts.rejected_at + np.timedelta64(self.rules.cooldown_days, "D")
        lost = self.facts.lost_at + np.timedelta64(self.rules.lost_cooldown_days, "D")
        by_sales = (rejected > self.as_of) & ~(lost > rejected)
        return (lost > self.as_of) & ~by_sales, by_sales

    def stayed(self) -> Flags:
        return self.since <= self.ago(self.rules.min_stay_days)

    def silent(self, last: Times) -> Flags:
        return last < self.ago(self.rules.silence_days)

    def asked_since(self, moment: Times, within_days: int) -> Flags:
        """Return to whom something happened of late that their present state is no answer to."""
        unanswered = (self.state == State.LEAD) | (moment >= self.since)
        return np.asarray((moment >= self.ago(within_days)) & unanswered)


def _first_reason(now: _Situation) -> Codes:
    """Return the reason of the first rule that applies to each lead; -1 where it stays."""
    state, facts, rules = now.state, now.facts, now.rules
    mql, sql = state == State.MQL, state == State.SQL
    lost, rejected = now.cooling()
    blocked = facts.unsubscribed | (facts.bad_fit >= 0)
    accepted = now.asked_since(facts.accepted_at, rules.silence_days)
    raised = now.asked_since(facts.hand_raised_at, rules.hand_raise_days)
    worked = np.where(now.since > facts.last_activity_at, now.since, facts.last_activity_at)
    cases: list[tuple[Flags, str | None]] = [
        (state == State.CUSTOMER, None),
        (~np.isnat(facts.won_at), "deal_won"),
        (facts.crm_state >= 0, "crm_stage"),
        (state == State.DISQUALIFIED, None),
        (facts.disqualified, "disqualified"),
        (facts.open_deal, "open_deal"),
        (rejected, "sales_rejected"),
        (lost, "deal_lost"),
        (~sql & accepted, "sales_accepted"),
        (mql & facts.unsubscribed, "unsubscribed"),
        (mql & blocked, "bad_fit"),
        (~sql & blocked, None),
        (~sql & raised, "hand_raise"),
        (sql & now.silent(worked) & now.stayed(), "silent"),
        (sql, None),
        *_score_cases(now),
    ]
    return np.select(
        [applies for applies, _ in cases],
        [np.int8(_KEPT if why is None else REASON_CODES[why]) for _, why in cases],
        default=np.int8(_KEPT),
    )


def _score_cases(now: _Situation) -> list[tuple[Flags, str | None]]:
    """Return the rules for leads that are neither blocked nor in the hands of sales."""
    facts, verdicts = now.facts, now.verdicts
    mql, stayed = now.state == State.MQL, now.stayed()
    silent = now.silent(facts.last_activity_at)
    faded = mql & stayed & ~verdicts.holds & ~np.isnan(verdicts.probability)
    rested = stayed & ~(facts.last_activity_at < now.since)
    may = ~mql & ~silent & ((now.state == State.LEAD) | rested)
    tried = verdicts.above_floors & ~np.isnan(verdicts.probability) & now.drawn
    return [
        (mql & stayed & silent, "silent"),
        (faded & now.explored & ~now.drawn, "exploration_over"),
        (faded & ~now.explored, "score_faded"),
        (may & verdicts.qualifies, "threshold_reached"),
        (may & tried, "exploration"),
    ]
