"""Contestants' answers to a case; a peer's are kept, as long as nothing that made them changes."""

import hashlib
import json
import os
import resource
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from environments import REQUIREMENTS
from features_runs import run_command
from quality_case import Case

LEADLIGHT = "leadlight"
NAMES = {
    LEADLIGHT: "leadlight",
    "logistic": "logistic regression",
    "boosting": "HistGradientBoosting",
    "lightgbm": "LightGBM",
    "catboost": "CatBoost",
    "ebm": "EBM",
    "flaml": "FLAML",
    "autogluon": "AutoGluon",
}
SECONDS = {"autogluon": 240.0, "flaml": 60.0}
"""What those who fill the time they are given are given for a whole case, all its steps."""
_STOP_AFTER = 3600.0
_HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Answer:
    """A contestant's probabilities for a case.

    Attributes
    ----------
    probability : array of shape (n,)
        Of the judged rows.
    seconds : float
        Of all fits, by the clock.
    cpu : float
        Of the processors, start and answering included: workers of its own count.
    kept : bool
        Whether it is of an earlier run.
    """

    probability: np.ndarray
    seconds: float
    cpu: float
    kept: bool


@dataclass(frozen=True)
class Contest:
    """Where contestants are run, and where their answers are kept.

    Attributes
    ----------
    pythons : dict of str to str
        Contestant -> the Python of its environment.
    answers : Path
        Folder in which peers' answers are kept.
    seed : int
    """

    pythons: dict[str, str]
    answers: Path
    seed: int

    def answer(self, contestant: str, case: Case) -> Answer:
        """Return a contestant's answer, from an earlier run where nothing has changed since.

        Raises
        ------
        RuntimeError
            It failed, or ran out of time or memory.
        """
        seconds = SECONDS.get(contestant, 0.0)
        place = self.answers / f"{contestant}-{_key(contestant, case, seconds, self.seed)}"
        told = place.with_suffix(".json")
        kept = told.exists() and contestant != LEADLIGHT
        if not kept:
            self._run(contestant, case, place.with_suffix(".npy"), seconds, told)
        facts = json.loads(told.read_text())
        probability = np.load(place.with_suffix(".npy"))
        return Answer(probability, facts["seconds"], facts["cpu"], kept)

    def _run(self, contestant: str, case: Case, output: Path, seconds: float, told: Path) -> None:
        self.answers.mkdir(parents=True, exist_ok=True)
        script = str(_HERE / "quality_contestant.py")
        arguments = [contestant, str(case.folder), str(output), str(seconds), str(self.seed)]
        before = _processor_seconds()
        run = run_command([self.pythons[contestant], script, *arguments], time_limit=_STOP_AFTER)
        if run.stopped:
            message = f"{NAMES[contestant]} on {case.name}: stopped, {run.stopped}"
            raise RuntimeError(message)
        cpu = _processor_seconds() - before
        told.write_text(json.dumps({"seconds": run.seconds, "cpu": cpu}))


def _key(contestant: str, case: Case, seconds: float, seed: int) -> str:
    script = (_HERE / f"quality_peer_{contestant}.py").read_text()
    packages: Sequence[str] = REQUIREMENTS.get(contestant, ())
    told = json.dumps([case.fingerprint(), script, packages, seconds, seed])
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def _processor_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def scratch_folder() -> Path:
    """Return where environments, cases and answers are kept from run to run."""
    told = os.environ.get("LEADLIGHT_BENCH")
    return Path(told) if told else Path.home() / ".cache" / "leadlight" / "bench"
