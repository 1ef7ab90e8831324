"""The buying journey: a hidden chain of interest, and the deals that come of it.

Each lead walks through four states of interest (cold, aware, interested, evaluating), one step of
five days at a time. In each step after its creation a lead without an open deal opens one with a
probability (`hazard`) that depends on the state, the lead's fit, its company's hidden need, the
season and the drift. Interest works only together with fit: for a lead that does not fit, the
hazard is the same small number in each state. A deal is closed some steps later, won with a
probability that depends on fit alone; a lost lead is cold again, a customer leaves the process.

Because this is a Markov chain with known numbers, the probability that a win falls into the next
ninety days is a sum that can be worked out (see `truth`), not an estimate.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .people import FIT_LEVELS, LONGEST_ANONYMOUS_STEPS, NEEDS, Leads, fit_points
from .rhythm import DAY, STEP, Clock, Floats, Ints

STATES = ("cold", "aware", "interested", "evaluating")
COLD, AWARE, INTERESTED, EVALUATING, IN_DEAL, CUSTOMER, NOBODY = range(7)

# Where a lead stands when it is first seen, and where it goes from one step to the next.
FIRST_STATE = np.array([0.30, 0.42, 0.25, 0.03])
TRANSITION = np.array(
    [
        [0.978, 0.019, 0.003, 0.000],
        [0.110, 0.820, 0.065, 0.005],
        [0.050, 0.090, 0.800, 0.060],
        [0.050, 0.020, 0.110, 0.820],
    ]
)

_HAZARD_FLOOR = 0.0012
_HAZARD = np.array([0.0030, 0.016, 0.080, 0.36])
_NEED_FACTOR = np.array([0.45, 1.55])

# Steps from a deal's opening to its closing: log-normal, median three weeks, cut at half a year.
LONGEST_DEAL_STEPS = 36


def fit_gate() -> Floats:
    """Return how much of the interest a fit level lets through, 0 to 1, (``FIT_LEVELS``,)."""
    return np.asarray(1 / (1 + np.exp(-3.0 * (fit_points() + 0.1))))


def hazard(climate: Floats) -> Floats:
    """Return the probability that a lead opens a deal in a step.

    Parameters
    ----------
    climate : (steps,) array
        Season and drift.

    Returns
    -------
    (steps, 4, FIT_LEVELS, NEEDS) array
    """
    by_state = _HAZARD_FLOOR + _HAZARD[:, None] * fit_gate()[None, :]
    rates = climate[:, None, None, None] * by_state[None, :, :, None] * _NEED_FACTOR
    return np.asarray(np.minimum(rates, 0.6))


def win_probability() -> Floats:
    """Return the probability that an open deal is won, by fit level, (``FIT_LEVELS``,)."""
    return np.asarray(0.22 + 0.45 / (1 + np.exp(-1.2 * fit_points())))


def deal_length() -> Floats:
    """Return the distribution of steps between opening and closing; entry 0 is for 1 step."""
    steps = np.arange(1, LONGEST_DEAL_STEPS + 1)
    density = np.exp(-0.5 * ((np.log(steps) - np.log(4)) / 0.65) ** 2) / steps
    return np.asarray(density / density.sum())


@dataclass(frozen=True)
class Deals:
    """Deals; arrays of one entry each, ordered by opening within each group of leads.

    Attributes
    ----------
    lead : array of int64
        Index of the lead.
    opened, closed : arrays of int64
        Seconds since the world's beginning; ``closed`` is -1 while the deal is open.
    won : array of bool
        False too while the deal is open.
    """

    lead: Ints
    opened: Ints
    closed: Ints
    won: NDArray[np.bool_]

    @staticmethod
    def together(parts: "list[Deals]", offsets: list[int]) -> "Deals":
        """Join parts into one, adding an offset to the leads of each."""
        return Deals(
            np.concatenate([p.lead + offset for p, offset in zip(parts, offsets, strict=True)]),
            np.concatenate([part.opened for part in parts]),
            np.concatenate([part.closed for part in parts]),
            np.concatenate([part.won for part in parts]),
        )

    @property
    def open_step(self) -> Ints:
        """Step in which each deal was opened."""
        return np.asarray(self.opened // STEP)

    @property
    def close_step(self) -> Ints:
        """Step in which each deal was closed; -1 while it is open."""
        return np.asarray(np.where(self.closed >= 0, self.closed // STEP, -1))


@dataclass(frozen=True)
class Journeys:
    """What happened beneath the surface to a group of leads.

    Attributes
    ----------
    state : (steps, n) array of uint8
        State by step: 0 to 3 of ``STATES``, then in a deal, customer, or not yet there.
    deals : Deals
    """

    state: NDArray[np.uint8]
    deals: Deals


def walk(rng: np.random.Generator, clock: Clock, leads: Leads, hazards: Floats) -> Journeys:
    """Draw the journeys of a group of leads.

    Parameters
    ----------
    rng : numpy.random.Generator
    clock : Clock
    leads : Leads
        The group; deals speak of leads by their place in it.
    hazards : (steps, 4, FIT_LEVELS, NEEDS) array
        See `hazard`.
    """
    count = len(leads)
    path = np.full((clock.steps, count), NOBODY, dtype=np.uint8)
    now = np.full(count, NOBODY, dtype=np.uint8)
    closes = np.full(count, -1, dtype=np.int64)
    wins = np.zeros(count, dtype=np.bool_)
    chances, place = _chances(hazards), _places(leads)
    opened: list[tuple[Ints, Ints, Ints, NDArray[np.bool_]]] = []
    first, lengths, win = np.cumsum(FIRST_STATE), np.cumsum(deal_length()), win_probability()
    for step in range(int(leads.first_step.min()), clock.steps):
        new = np.flatnonzero(leads.first_step == step)
        now[new] = np.searchsorted(first, rng.random(len(new)) * first[-1], side="right")
        path[step] = now
        # Leads are ordered by creation: these are known by now, and these may have been seen.
        known = int(np.searchsorted(leads.created_step, step))
        seen = int(np.searchsorted(leads.created_step, step + LONGEST_ANONYMOUS_STEPS, "right"))
        chance = chances[step].take(_ROWS[now[:known]] + place[:known])
        opens = np.flatnonzero(rng.random(known, dtype=np.float32) < chance)
        closing = np.flatnonzero(closes[:known] == step)
        now[:seen] = _move(rng.random(seen, dtype=np.float32), now[:seen])
        now[closing] = np.where(wins[closing], CUSTOMER, COLD)
        if len(opens):
            length = 1 + np.searchsorted(lengths, rng.random(len(opens)) * lengths[-1])
            closes[opens] = step + length
            wins[opens] = rng.random(len(opens)) < win[leads.fit[opens]]
            now[opens] = IN_DEAL
            opened.append((opens, np.full(len(opens), step), closes[opens], wins[opens]))
    return Journeys(path, _deals(rng, clock, opened))


_PLACES = FIT_LEVELS * NEEDS + 1
_ROWS = np.arange(NOBODY + 1, dtype=np.int32) * _PLACES


def _places(leads: Leads) -> NDArray[np.int32]:
    """Column of each lead in `_chances`; students have the last."""
    place = leads.fit.astype(np.int32) * NEEDS + leads.need
    return np.where(leads.student, _PLACES - 1, place).astype(np.int32)


def _chances(hazards: Floats) -> NDArray[np.float32]:
    """Hazards by step over (any state, place): 0 for students and whoever does not walk."""
    chances = np.zeros((len(hazards), NOBODY + 1, _PLACES), dtype=np.float32)
    chances[:, : EVALUATING + 1, :-1] = hazards.reshape(len(hazards), EVALUATING + 1, -1)
    return chances.reshape(len(hazards), -1)


def _move(draw: NDArray[np.float32], state: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Draw the next state; in a deal, as a customer and before the first interest nothing moves."""
    moved = _STAY.take(state)
    for bounds in _BOUNDS:
        moved += draw >= bounds.take(state)
    return moved


# The next state is this one plus the number of these bounds that a draw reaches.
_STAY = np.array([0, 0, 0, 0, IN_DEAL, CUSTOMER, NOBODY], dtype=np.uint8)
_BOUNDS = np.concatenate(
    [np.cumsum(TRANSITION, axis=1)[:, :3].T, np.full((3, 3), 2.0)], axis=1
).astype(np.float32)


def _deals(
    rng: np.random.Generator,
    clock: Clock,
    opened: list[tuple[Ints, Ints, Ints, NDArray[np.bool_]]],
) -> Deals:
    if not opened:
        none = np.zeros(0, dtype=np.int64)
        return Deals(none, none, none, none.astype(np.bool_))
    lead, open_step, close_step, won = (
        np.concatenate([part[field] for part in opened]) for field in range(4)
    )
    # Opened on a later day of the step, so that a demo request can precede it in the same one.
    opened_at = np.maximum(
        clock.moments(rng, open_step, days=4) + DAY, open_step * STEP + DAY + DAY // 2
    )
    closed_at = clock.moments(rng, close_step)
    is_closed = close_step < clock.steps
    return Deals(
        lead=lead,
        opened=opened_at,
        closed=np.where(is_closed, closed_at, -1),
        won=np.asarray(won & is_closed),
    )
