"""States of a lead's life, the moves between them, and the reasons for a move.

::

    lead ──> mql ──> sql ──> customer
      │       │       │
      └───────┴───────┴──> recycled ──> mql, sql, customer

and any but a customer ──> disqualified.
"""

from dataclasses import dataclass
from enum import IntEnum
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Codes = NDArray[np.int8]


class State(IntEnum):
    """Where a lead is between the form it filled in and the contract it signed."""

    LEAD = 0
    MQL = 1
    SQL = 2
    CUSTOMER = 3
    RECYCLED = 4
    DISQUALIFIED = 5


STATES = tuple(state.name.lower() for state in State)
"""Names of the states in the order of their codes, as they are stored and shown."""


@dataclass(frozen=True)
class Reason:
    """Why a lead is in its state.

    Attributes
    ----------
    id : str
        Stable: stored in ``state_reason``, never renamed.
    to : State or None
        Where it leads; None: the CRM says where.
    by : {"score", "lead", "sales", "rule"}
        Whose act it was: the model's score, the lead's own, that of sales, or a rule's.
    """

    id: str
    to: State | None
    by: Literal["score", "lead", "sales", "rule"]


REASONS = (
    Reason("new", State.LEAD, "rule"),
    Reason("threshold_reached", State.MQL, "score"),
    Reason("exploration", State.MQL, "rule"),
    Reason("hand_raise", State.SQL, "lead"),
    Reason("sales_accepted", State.SQL, "sales"),
    Reason("open_deal", State.SQL, "sales"),
    Reason("deal_won", State.CUSTOMER, "sales"),
    Reason("score_faded", State.RECYCLED, "score"),
    Reason("exploration_over", State.RECYCLED, "rule"),
    Reason("silent", State.RECYCLED, "lead"),
    Reason("sales_rejected", State.RECYCLED, "sales"),
    Reason("deal_lost", State.RECYCLED, "sales"),
    Reason("unsubscribed", State.RECYCLED, "lead"),
    Reason("bad_fit", State.RECYCLED, "rule"),
    Reason("disqualified", State.DISQUALIFIED, "sales"),
    Reason("crm_stage", None, "sales"),
)
"""Each has its sentence in the catalog of texts: ``move.hand_raise``."""

REASON_CODES = MappingProxyType({reason.id: code for code, reason in enumerate(REASONS)})
"""Reasons' places in ``REASONS`` by their ids."""


def allowed_moves() -> NDArray[np.bool_]:
    """Return which moves there are, as a matrix: from the row's state to the column's."""
    moves = np.zeros((len(State), len(State)), dtype=bool)
    for source, targets in _MOVES.items():
        moves[source, list(targets)] = True
    return moves


_MOVES = {
    State.LEAD: (State.MQL, State.SQL, State.CUSTOMER, State.RECYCLED, State.DISQUALIFIED),
    State.MQL: (State.SQL, State.CUSTOMER, State.RECYCLED, State.DISQUALIFIED),
    State.SQL: (State.CUSTOMER, State.RECYCLED, State.DISQUALIFIED),
    State.RECYCLED: (State.MQL, State.SQL, State.CUSTOMER, State.DISQUALIFIED),
    # Sales may think again, in the CRM where that is the authority.
    State.DISQUALIFIED: (State.SQL, State.CUSTOMER, State.RECYCLED),
}


def names_of(codes: NDArray[Any], names: tuple[str, ...]) -> pa.Array:
    """Return codes as text; a negative code as null."""
    indices = pa.array(codes, mask=codes < 0)
    return pa.DictionaryArray.from_arrays(indices, pa.array(names)).cast(pa.string())


def codes_of(names: pa.ChunkedArray, known: tuple[str, ...]) -> Codes:
    """Return text as codes: -1 for null, -2 for what is not known."""
    found = pc.index_in(names, value_set=pa.array(known)).fill_null(-2)
    codes = pc.if_else(pc.is_null(names), -1, found)
    return np.asarray(codes.to_numpy(zero_copy_only=False), dtype=np.int8)
