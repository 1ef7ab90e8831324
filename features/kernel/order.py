"""Entries ordered by key and time, and how many of a key's lie before an instant."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .timeline import Integers, dense


@dataclass(frozen=True)
class Ordered:
    """Times of entries, ordered by key and then time.

    Attributes
    ----------
    key : ndarray of int64, shape (n,)
        Codes of leads or accounts, numbered without large gaps.
    time : ndarray of int64, shape (n,)
    """

    key: Integers
    time: Integers

    @classmethod
    def of(cls, key: Integers, time: Integers) -> "Ordered":
        """Order entries by key and time."""
        by_time = np.argsort(time, kind="stable")
        order = by_time[np.argsort(dense(key)[by_time], kind="stable")]
        return cls(key[order], time[order])

    @cached_property
    def _offsets(self) -> Integers:
        """Where each key from the smallest to the largest begins, and the end."""
        counts = np.bincount(self.key - self.key[0])
        return np.concatenate(([0], np.cumsum(counts)))

    def stretch(self, key: Integers) -> tuple[Integers, Integers]:
        """Return where the entries of each key begin and end."""
        if not len(self.key):
            none = np.zeros(len(key), np.int64)
            return none, none
        last = len(self._offsets) - 1
        at = np.clip(key - self.key[0], -1, last)
        inside = (at >= 0) & (at < last)
        first = self._offsets[np.where(inside, at, 0)]
        return first, np.where(inside, self._offsets[np.where(inside, at + 1, 0)], first)

    def before(self, key: Integers, instant: Integers) -> Integers:
        """Count the entries of each key with ``time < instant``.

        Parameters
        ----------
        key, instant : ndarray of int64, shape (m,)

        Returns
        -------
        ndarray of int64, shape (m,)
        """
        first, after = self.stretch(key)
        return first_at_or_after(self.time, first, after, instant) - first


def first_at_or_after(
    times: Integers, low: Integers, high: Integers, instant: Integers
) -> Integers:
    """Find where each instant belongs within its own ascending stretch of times.

    A binary search of all stretches at once: each step halves every stretch.

    Parameters
    ----------
    times : ndarray of int64, shape (n,)
    low, high : ndarray of int64, shape (m,)
        Stretch ``times[low:high]`` of each instant.
    instant : ndarray of int64, shape (m,)

    Returns
    -------
    ndarray of int64, shape (m,)
        The first position in ``low .. high`` whose time is not before the instant.
    """
    low, high = low.copy(), high.copy()
    steps = int((high - low).max(initial=0)).bit_length()
    last = max(len(times) - 1, 0)
    for _ in range(steps):
        middle = (low + high) >> 1
        right = (low < high) & (times[np.minimum(middle, last)] < instant)
        high = np.where(right, high, np.maximum(middle, low))
        low = np.where(right, middle + 1, low)
    return low
