"""One explainer on one thread, in a process and an environment of its own.

``python explain_contestant.py PEER CASE ROWS REPEATS SEED`` prints a line of JSON: seconds and
processor seconds in all, and of each of the peer's explainers its rows a second (the median of the
repeats, by the processor's clock) and how far its parts are from summing up to its margins.
"""

import importlib
import json
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from explain_case import ExplainCase
from numpy.typing import NDArray

TREES, LEAVES = 200, 31
"""Size of the peers' boosted models."""


@dataclass(frozen=True)
class Explained:
    """Parts of the margin and the margin itself, by another way than their sum.

    Attributes
    ----------
    parts : array of shape (n, terms)
        What is the same for all leads may be among them.
    margin : array of shape (n,)
    """

    parts: NDArray[np.float64]
    margin: NDArray[np.float64]

    @property
    def distance(self) -> float:
        """Farthest that a lead's parts are from its margin, a level common to all apart."""
        rest = self.margin - self.parts.sum(axis=1)
        return float(np.abs(rest - np.median(rest)).max())


@dataclass(frozen=True)
class Explainer:
    """A way to explain encoded leads.

    Attributes
    ----------
    parts : callable
        From a matrix of shape (n, 90) to the parts: this is what is timed.
    margin : callable
        From a matrix to margins: not timed.
    """

    parts: Callable[[NDArray[np.float64]], NDArray[np.float64]]
    margin: Callable[[NDArray[np.float64]], NDArray[np.float64]]


def main() -> None:
    name, folder, rows, repeats, seed = sys.argv[1:]
    started, case = time.perf_counter(), ExplainCase(Path(folder))
    fit = importlib.import_module(f"explain_peer_{name}").fit
    matrix, won = case.matrix(), case.won
    explainers: Mapping[str, Explainer] = fit(
        matrix[: case.taught], won[: case.taught], seed=int(seed)
    )
    generator = np.random.default_rng(int(seed))
    shown = matrix[generator.integers(case.taught, len(matrix), int(rows))]
    facts = {
        what: {
            "rows_a_second": rate(lambda each=each: each.parts(shown), len(shown), int(repeats)),
            "distance": Explained(each.parts(shown), each.margin(shown)).distance,
        }
        for what, each in explainers.items()
    }
    spent = {"seconds": time.perf_counter() - started, "cpu": time.process_time()}
    print(json.dumps(spent | {"explainers": facts}))


def rate(explain: Callable[[], object], rows: int, repeats: int) -> float:
    """Return rows a second of the processor: the median of some repeats after a first one."""
    explain()
    spent = []
    for _ in range(repeats):
        started = time.process_time()
        explain()
        spent.append(time.process_time() - started)
    return rows / statistics.median(spent)


if __name__ == "__main__":
    main()
