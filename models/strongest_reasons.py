"""Strongest reasons: the three that speak most for each lead, and against it, in one pass."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .reasons import PointScale, ReasonGroups

Floats = NDArray[np.float64]
Places = NDArray[np.intp]

REASONS = 3
"""Reasons told of a lead, in each direction."""

NONE = -1
"""In place of a reason: there are fewer."""

# The numbers of so many leads stay in the processor's caches from one step to the next.
_BLOCK_ROWS = 8_192

_Extreme = Callable[..., Any]


@dataclass(frozen=True, eq=False)
class Strongest:
    """The strongest reasons of each lead in one direction, strongest first.

    Attributes
    ----------
    groups : ndarray of int, shape (n, 3)
        Positions in ``ReasonGroups.ids``; ``NONE`` where there is no further reason.
    points : ndarray of int, shape (n, 3)
        Whole points of 100: negative against the lead, 0 where there is no reason.
    speakers : ndarray of int, shape (n, 3)
        Position of the group's feature that moves the margin most in the direction of the group.
    """

    groups: Places
    points: NDArray[np.int64]
    speakers: Places

    @classmethod
    def of(cls, leads: int) -> "Strongest":
        """Return room for the reasons of so many leads; none is told yet."""
        shape = (REASONS, leads)  # written rank by rank
        nobody = np.full(shape, NONE)
        return cls(nobody.T, np.zeros(shape, dtype=np.int64).T, nobody.copy().T)


def strongest_reasons(
    parts: Floats, average: Floats, groups: ReasonGroups, scale: PointScale
) -> tuple[Strongest, Strongest]:
    """Find the reasons that speak most for each lead, and those against it.

    Each reason is rounded by itself, half a point upwards; a reason of less is not told. So what
    is not told is the lead's points less the average lead's and less those of the reasons told.
    Reasons that differ by less than one part in 10^12 count as equal, and then the first one leads.

    Parameters
    ----------
    parts : ndarray of float64, shape (n, k)
        The compiled model's contributions to the margin, in log-odds.
    average : ndarray of float64, shape (k,) or (n, k)
        The average lead's, of all or of each lead's own segment.
    groups : ReasonGroups
    scale : PointScale
    """
    found = Strongest.of(len(parts)), Strongest.of(len(parts))
    comparison = _Comparison(groups, parts.shape[1], min(len(parts), _BLOCK_ROWS))
    for start in range(0, len(parts), _BLOCK_ROWS):
        rows = slice(start, start + _BLOCK_ROWS)
        comparison.look_at(parts[rows], average if average.ndim == 1 else average[rows])
        for strongest, sign in zip(found, (1, -1), strict=True):
            comparison.tell(strongest, rows, sign, scale.per_log_odds)
    return found


@dataclass(frozen=True)
class _Marks:
    """Places written into the lowest bits of numbers, which then bring them along.

    The largest of several numbers so tells where it stood, without a sort. A place is counted from
    the end: of equal numbers the first one becomes the farthest from zero. A bare zero is nobody's.
    """

    places: int

    def write(self, numbers: Floats, place: int, out: Floats) -> None:
        """Mark numbers of one place."""
        bits = out.view(np.int64)
        np.bitwise_and(numbers.view(np.int64), -(1 << self.places.bit_length()), out=bits)
        bits |= self.places - place

    def read(self, marked: Floats) -> Places:
        """Return the place of each number; one beyond the last for nobody's."""
        bits = marked.view(np.int64) & ((1 << self.places.bit_length()) - 1)
        return (self.places - bits).astype(np.intp, copy=False)


class _Comparison:
    """Compares some leads at a time with the average lead; its arrays serve again and again.

    Parameters
    ----------
    groups : ReasonGroups
    features : int
    rows : int
        At most so many leads at a time.
    """

    def __init__(self, groups: ReasonGroups, features: int, rows: int) -> None:
        self._members = groups.members
        self._reasons, self._features = _Marks(len(groups.ids)), _Marks(features)
        self._rows, self._width = 0, rows
        shape = (len(groups.ids) + 1, rows)  # the last row is nobody's, and stays 0
        self._sums = np.zeros(shape)
        self._speakers = {1: np.zeros(shape), -1: np.zeros(shape)}
        for at, members in enumerate(groups.members):  # who has no rival speaks for ever
            for speakers in self._speakers.values():
                self._features.write(np.zeros(rows), members[0], out=speakers[at])
        self._ranks = {1: np.zeros((REASONS, rows)), -1: np.zeros((REASONS, rows))}
        self._spare = np.zeros((3, rows))

    def look_at(self, parts: Floats, average: Floats) -> None:
        """Sum the parts of each reason, beyond the average lead's, and rank the sums."""
        self._rows = len(parts)
        marked = self._spare[0, : self._rows]
        for ranks in self._ranks.values():
            ranks.fill(0.0)
        for at in range(len(self._members)):
            sums = self._sum(at, parts, average.T)
            self._reasons.write(sums, at, out=marked)
            self._rank(1, marked, np.maximum, np.minimum)
            self._rank(-1, marked, np.minimum, np.maximum)

    def _sum(self, at: int, parts: Floats, average: Floats) -> Floats:
        """Sum feature by feature, so that a sum does not depend on which leads it comes with."""
        first, *others = self._members[at]
        sums = self._sums[at, : self._rows]
        np.subtract(parts[:, first], average[first], out=sums)
        if not others:
            return sums
        beyond, marked = self._spare[:2, : self._rows]
        highest, lowest = (each[at, : self._rows] for each in self._speakers.values())
        self._features.write(sums, first, out=highest)
        lowest[:] = highest
        for column in others:
            np.subtract(parts[:, column], average[column], out=beyond)
            sums += beyond
            self._features.write(beyond, column, out=marked)
            np.maximum(highest, marked, out=highest)
            np.minimum(lowest, marked, out=lowest)
        return sums

    def _rank(self, sign: int, marked: Floats, ahead: _Extreme, behind: _Extreme) -> None:
        """Let each number take its place; whom it goes ahead of goes one place down."""
        spare, other = self._spare[1:, : self._rows]
        *ranks, last = self._ranks[sign][:, : self._rows]
        for rank in ranks:
            behind(rank, marked, out=spare)
            ahead(rank, marked, out=rank)
            marked, spare, other = spare, other, spare
        ahead(last, marked, out=last)

    def tell(self, strongest: Strongest, rows: slice, sign: int, per_log_odds: float) -> None:
        """Write down what the leads looked at last are told, in one direction."""
        lead = np.arange(self._rows)
        silent = np.zeros(self._rows, dtype=bool)
        for rank, marked in enumerate(self._ranks[sign][:, : self._rows]):
            group = self._reasons.read(marked)
            place = group * self._width + lead
            strength = self._sums.take(place) * (sign * per_log_odds)
            points = np.floor(strength + 0.5).astype(np.int64)
            silent |= points <= 0
            # All bits where silent: NONE has them all. A choice lead by lead would take longer.
            hidden = -silent.astype(np.intp)
            speaker = self._features.read(self._speakers[sign].take(place))
            strongest.groups[rows, rank] = group | hidden
            strongest.points[rows, rank] = sign * (points & ~hidden)
            strongest.speakers[rows, rank] = speaker | hidden
