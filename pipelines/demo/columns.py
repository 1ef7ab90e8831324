"""Columns of the raw files: texts by index, times, ids in use."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from .rhythm import Clock, Ints

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
    """Give times for a CSV file, written without fractions of a second."""
    return times(clock, seconds).cast(pa.timestamp("s", tz="UTC"))


def with_doubles(rng: np.random.Generator, count: int, share: float) -> Ints:
    """Row numbers in order, some of them twice."""
    twice = rng.integers(0, count, int(share * count)) if count else np.zeros(0, np.int64)
    return np.sort(np.concatenate([np.arange(count), twice]))
