"""One contestant on one case, in a process and an environment of its own.

``python quality_contestant.py CONTESTANT CASE OUTPUT SECONDS SEED`` writes the probabilities of the
judged rows, step after step, and prints the seconds that fitting took as a line of JSON.
"""

import importlib
import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from quality_case import Case

Probability = Callable[[pd.DataFrame], np.ndarray]


@dataclass(frozen=True)
class Lesson:
    """What a contestant learns from at one step.

    Attributes
    ----------
    x : DataFrame
        The features alone.
    won : array of bool
    categories : list of str
        Columns of strings and None; all others are numbers.
    seconds : float
        May be spent at this step, by those who can be told.
    seed : int
    rows : DataFrame
        Of x, with the keys and in the order of time.
    case : Case
    """

    x: pd.DataFrame
    won: np.ndarray
    categories: list[str]
    seconds: float
    seed: int
    rows: pd.DataFrame
    case: Case

    @property
    def numbers(self) -> list[str]:
        return [column for column in self.x if column not in self.categories]


def main() -> None:
    name, folder, output, seconds, seed = sys.argv[1:]
    fit = importlib.import_module(f"quality_peer_{name}").fit
    case = Case.load(Path(folder))
    probability, spent = run(case, fit, float(seconds), int(seed))
    np.save(output, probability)
    print(json.dumps({"seconds": spent, "cpu": time.process_time()}))


def run(
    case: Case, fit: Callable[[Lesson], Probability], seconds: float, seed: int
) -> tuple[np.ndarray, float]:
    """Teach and ask a contestant at each step; return also the seconds that fitting took."""
    rows = case.rows()
    names = [each["name"] for each in case.features]
    answers, spent = [], 0.0
    for step in case.steps:
        known = rows.iloc[: step.train]
        lesson = Lesson(
            x=known[names],
            won=known["label"].to_numpy(dtype=bool),
            categories=case.columns("category"),
            seconds=seconds / len(case.steps),
            seed=seed,
            rows=known,
            case=case,
        )
        started = time.perf_counter()
        probability = fit(lesson)
        spent += time.perf_counter() - started
        # Leads to be scored have no label.
        asked = rows.iloc[step.first : step.last].drop(columns="label")
        answers.append(np.asarray(probability(asked), dtype=np.float64))
    return np.concatenate(answers), spent


if __name__ == "__main__":
    main()
