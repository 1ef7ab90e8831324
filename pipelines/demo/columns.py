"""Columns of the raw files: texts by index, times, ids in use."""

from collections.abc import Sequence
from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from .rhythm import DAY, Clock, Ints

_UTC = pa.timestamp("us", tz="UTC")


def pick(values: Sequence[str], index: NDArray[np.integer]) -> pa.Array:
    """Pick texts by index, dictionary-encoded; a negative index is a missing text."""
    # A dictionary that says a word twice makes the Parquet writer write different bytes each time.
    words = list(dict.fromkeys(values))
    place = np.array([words.index(value) for value in values], dtype=np.int32)
    return pa.DictionaryArray.from_arrays(
        pa.array(place[index], mask=index < 0), pa.array(words, pa.string())
    )


def used(names: pa.Array, index: NDArray[np.integer]) -> pa.Array:
    """Pick texts, keeping only those in use in the dictionary."""
    used = np.zeros(len(names), dtype=np.bool_)
    used[index] = True
    place = np.cumsum(used) - 1
    return pa.DictionaryArray.from_arrays(
        pa.array(place[index].astype(np.int32)), names.filter(pa.array(used))
    )


def times(clock: Clock, seconds: Ints) -> pa.Array:
    """Give times from seconds since the world's beginning; a negative one is missing."""
    micros = clock.epoch_us + seconds * 1_000_000
    return pa.array(micros, mask=seconds < 0).cast(_UTC)


def whole_seconds(clock: Clock, seconds: Ints) -> pa.Array:
    """Give times as texts, to the second: ``2025-06-05T01:36:20Z``; a negative one is missing."""
    first = np.datetime64(clock.start)
    last = max(int(seconds.max(initial=0)) // DAY, 0)
    days = np.datetime_as_string(first + np.arange(last + 1), unit="D")
    missing = seconds < 0
    day, second = np.divmod(np.where(missing, 0, seconds), DAY)
    # Joined from days and times of day: five times as fast as formatting each instant.
    return pc.binary_join_element_wise(
        pa.array(days, pa.string()).take(pa.array(day, mask=missing)),
        _times_of_day().take(pa.array(second)),
        "T",
    )


@cache
def _times_of_day() -> pa.Array:
    return pa.array([f"{s // 3600:02d}:{s // 60 % 60:02d}:{s % 60:02d}Z" for s in range(DAY)])


def with_doubles(rng: np.random.Generator, count: int, share: float) -> Ints:
    """Row numbers in order, some of them twice."""
    twice = rng.integers(0, count, int(share * count)) if count else np.zeros(0, np.int64)
    return np.sort(np.concatenate([np.arange(count), twice]))
