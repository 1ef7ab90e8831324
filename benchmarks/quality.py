"""Quality: leadlight beside plain models and AutoML on identical splits, in the order of time.

What peers answered is kept from run to run (``LEADLIGHT_BENCH`` names the folder), so that a change
in leadlight costs leadlight's own time only. Nobody is tuned on what is judged.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from environments import python_of
from quality_case import Case
from quality_cases import QUICK_CASES, case_makers
from quality_results import CaseResult, judge, marks, mean_log_loss
from quality_runs import LEADLIGHT, NAMES, Answer, Contest, scratch_folder
from quality_tables import print_case, print_means
from real_projects import ROOT
from results import OUT, write_results
from rich.console import Console

from leadlight.pipelines.fingerprint import code_hash

QUICK_PEERS = ("logistic", "boosting", "lightgbm")
SEED = 0


def main() -> None:
    data = Path(os.environ.get("LEADLIGHT_DATA", ROOT.parent / "shared" / "data"))
    if not data.is_dir():
        raise SystemExit(f"no data at {data}: set LEADLIGHT_DATA to the public data sets' folder")
    makers = case_makers(data)
    options = _options(list(makers))
    # Threads that wait busily for each other slow everyone tenfold where a core is taken.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    console = Console(width=None if Console().is_terminal else 170)
    scratch = scratch_folder()
    pythons = _installed(options.peers, scratch / "environments", console)
    contest = Contest(pythons, scratch / "quality" / "answers", SEED)
    found = []
    for name in options.cases:
        case = _case(scratch / "quality" / "cases" / re.sub(r"\W+", "-", name), makers[name])
        found.append(judge(case, _answers(case, contest, console), seed=SEED))
        print_case(found[-1], console)
    print_means(found, console)
    write_results("quality", marks(found), seed=SEED, quick=options.quick, console=console)
    (OUT / "quality-cases.json").write_text(json.dumps(_plain(found), indent=2) + "\n")


def _options(cases: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="two cases, three peers")
    parser.add_argument("--cases", nargs="*", choices=cases)
    parser.add_argument("--peers", nargs="*", choices=[name for name in NAMES if name != LEADLIGHT])
    options = parser.parse_args()
    options.cases = options.cases or (QUICK_CASES if options.quick else cases)
    every_peer = [name for name in NAMES if name != LEADLIGHT]
    options.peers = options.peers or (QUICK_PEERS if options.quick else every_peer)
    return options


def _case(folder: Path, make: Callable[[Path], Case]) -> Case:
    """Return a case that this very code has made."""
    made_by = folder / "made_by.txt"
    if made_by.exists() and made_by.read_text() == code_hash():
        return Case.load(folder)
    shutil.rmtree(folder, ignore_errors=True)
    case = make(folder)
    made_by.write_text(code_hash())
    return case


def _installed(peers: Sequence[str], folder: Path, console: Console) -> dict[str, str]:
    pythons = {}
    for peer in (LEADLIGHT, *peers):
        try:
            pythons[peer] = python_of(peer, folder)
        except subprocess.CalledProcessError as error:
            reason = error.stderr.decode().strip()
            console.print(f"{NAMES[peer]} takes no part, for it cannot be installed: {reason}")
    return pythons


def _answers(case: Case, contest: Contest, console: Console) -> Mapping[str, Answer]:
    answers = {}
    for contestant in contest.pythons:
        try:
            answers[contestant] = contest.answer(contestant, case)
        except RuntimeError as error:
            if contestant == LEADLIGHT:
                raise
            console.print(f"{NAMES[contestant]} gives no answer to {case.name}: {error}")
    return answers


def _plain(found: Sequence[CaseResult]) -> dict[str, object]:
    cases = {
        each.case.name: {
            "story": each.case.story,
            "contestants": {
                name: {
                    **asdict(score),
                    "seconds": each.answers[name].seconds,
                    "cpu": each.answers[name].cpu,
                    "kept": each.answers[name].kept,
                }
                for name, score in each.scores.items()
            },
            "truth": asdict(each.truth) if each.truth else None,
            "best_peer": each.best,
            "difference": each.difference.to_dict(),
            "verdict": each.verdict,
        }
        for each in found
    }
    return {"cases": cases, "mean_log_loss": mean_log_loss(found)}


if __name__ == "__main__":
    main()
