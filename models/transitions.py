"""Transitions: the log of who moved, when, from where to where, and why; never rewritten."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from leadlight.features.wording import ENGLISH, Wording

from .lifecycle import Facts, Status, Times, Verdicts
from .states import REASON_CODES, REASONS, STATES, State, names_of

TRANSITIONS = pa.schema(
    [
        ("lead_id", pa.string()),
        ("as_of", pa.timestamp("us", tz="UTC")),
        ("from_state", pa.string()),
        ("to_state", pa.string()),
        ("reason", pa.string()),
        ("why", pa.string()),
        ("explored", pa.bool_()),
        ("propensity", pa.float64()),
        ("decision_version", pa.int64()),
        ("definition_version", pa.int64()),
    ]
)
"""The log: one row for each lead that moved in a run.

``reason`` is a ``Reason``'s id and ``why`` its sentence, in the language of the project when it
was written; ``propensity`` the chance with which the
lead was passed to sales (null where it was not); ``decision_version`` the model's and
``definition_version`` that of the MQL definition (the threshold and floors) in force.
"""

REASON_IDS = tuple(reason.id for reason in REASONS)


@dataclass(frozen=True)
class Run:
    """The run that moved leads.

    Attributes
    ----------
    as_of : datetime64[us]
        UTC.
    decision_version, definition_version : int
    bad_fit_rules : tuple of str
        Names of the rules that ``Facts.bad_fit`` numbers.
    """

    as_of: np.datetime64
    decision_version: int
    definition_version: int
    bad_fit_rules: tuple[str, ...] = ()


def transition_log(
    lead_id: pa.Array,
    previous: Status,
    status: Status,
    facts: Facts,
    verdicts: Verdicts,
    verdict_reason: pa.Array,
    run: Run,
    wording: Wording = ENGLISH,
) -> pa.Table:
    """Return the log of the leads whose state changed, in their order.

    A lead that was not known before comes from ``lead``; that it exists is no transition.

    Parameters
    ----------
    lead_id : pyarrow array of n str
    previous, status : Status of n leads
        Before and after the run.
    facts, verdicts : Facts, Verdicts of n leads
    verdict_reason : pyarrow array of n str
        What sales gave as the reason of its last verdict; null where it gave none.
    run : Run
    wording : Wording
        Tells why.
    """
    before = np.where(previous.state >= 0, previous.state, np.int8(State.LEAD))
    rows = np.flatnonzero(before != status.state)
    after = status.taken(rows)
    taken = pa.array(rows)
    why = _sentences(
        after.reason,
        facts.taken(rows),
        verdicts.probability[rows],
        verdict_reason.take(taken),
        run.bad_fit_rules,
        wording,
    )
    count = len(rows)
    return pa.table(
        [
            lead_id.take(taken),
            pa.array(np.full(count, run.as_of)).cast(TRANSITIONS.field("as_of").type),
            names_of(before[rows], STATES),
            names_of(after.state, STATES),
            names_of(after.reason, REASON_IDS),
            why,
            pa.array(after.explored),
            pa.array(after.propensity, mask=np.isnan(after.propensity)),
            pa.array(np.full(count, run.decision_version)),
            pa.array(np.full(count, run.definition_version)),
        ],
        schema=TRANSITIONS,
    )


def _sentences(
    reason: NDArray[np.int8],
    facts: Facts,
    probability: NDArray[np.float64],
    verdict_reason: pa.Array,
    bad_fit_rules: tuple[str, ...],
    wording: Wording,
) -> pa.Array:
    """Return each lead's reason in words: reason by reason, never lead by lead."""
    given = pc.if_else(pc.equal(pc.utf8_trim_whitespace(verdict_reason), ""), None, verdict_reason)
    given = given.fill_null(wording.say("move.no_reason"))
    chance = _chances(probability, wording)
    told = {
        "threshold_reached": chance,
        "exploration": chance,
        "exploration_over": chance,
        "score_faded": chance,
        "hand_raise": _days(facts.hand_raised_at, wording),
        "sales_accepted": _days(facts.accepted_at, wording),
        "deal_won": _days(facts.won_at, wording),
        "deal_lost": _days(facts.lost_at, wording),
        "silent": _days(facts.last_activity_at, wording),
        "sales_rejected": given,
        "disqualified": given,
        "bad_fit": names_of(facts.bad_fit, bad_fit_rules) if bad_fit_rules else None,
    }
    words = pa.nulls(len(reason), pa.string())
    for each in REASONS:
        rows = pa.array(reason == REASON_CODES[each.id])
        start, _, end = wording.say(f"move.{each.id}", told="{}").partition("{}")
        filled = told.get(each.id)
        sentence = start if filled is None else pc.binary_join_element_wise(start, filled, end, "")
        words = pc.if_else(rows, sentence, words)
    return words


def _chances(probability: NDArray[np.float64], wording: Wording) -> pa.Array:
    tenths, place = np.unique(np.rint(np.nan_to_num(probability) * 1000), return_inverse=True)
    told = [wording.chance(tenth / 1000) for tenth in tenths.tolist()]
    return pa.array(told, pa.string()).take(pa.array(place))


def _days(moments: Times, wording: Wording) -> pa.Array:
    days, place = np.unique(moments.astype("datetime64[D]"), return_inverse=True)
    unknown = wording.say("move.unknown_day")
    told = [unknown if day is None else wording.day(day) for day in days.tolist()]
    return pa.array(told, pa.string()).take(pa.array(place))
