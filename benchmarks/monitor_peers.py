"""NannyML and Evidently on the same worlds: what they are shown, and which columns they name."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from environments import python_of
from features_runs import run_command
from monitor_faults import Fault
from monitor_worlds import World
from quality_runs import scratch_folder
from results import Result

PEERS = {"nannyml": "NannyML", "evidently": "Evidently"}
_STOP_AFTER = 3600.0
_HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Shown:
    """A night that peers are shown.

    Attributes
    ----------
    fault : str
        Its name; empty for a quiet night.
    columns : tuple of str
        Prefixes of the columns that it touches.
    folder : Path
        ``reference`` and ``current`` of features with the score, and of labels.
    """

    fault: str
    columns: tuple[str, ...]
    folder: Path

    def named_by(self, drifted: Sequence[str]) -> bool:
        """Whether any column that the fault touches is among the drifted ones."""
        return any(column.startswith(self.columns) for column in drifted)


def show(
    world: World, frame: pd.DataFrame, labels: pd.DataFrame, fault: tuple[str, Fault] | None,
    folder: Path,
) -> Shown:  # fmt: skip
    """Write a night for the peers, beside four weekly nights before as their reference."""
    folder.mkdir(parents=True)
    names = [feature.name for feature in world.champion.version.decision.features]
    columns = ["as_of", *names, "probability"]
    world.earlier[columns].to_parquet(folder / "reference_night.parquet")
    frame[columns].to_parquet(folder / "current_night.parquet")
    world.champion.labels.to_parquet(folder / "reference_labels.parquet")
    labels.to_parquet(folder / "current_labels.parquet")
    return Shown(fault[0] if fault else "", fault[1].columns if fault else (), folder)


def peer_figures(shown: Sequence[Shown], place: Path) -> list[Result]:
    """Let each peer look at all nights, and tell how often it named what was wrong."""
    found = []
    cases = place / "cases.json"
    cases.write_text(json.dumps([str(each.folder) for each in shown]))
    for peer, name in PEERS.items():
        python = python_of(peer, scratch_folder() / "environments")
        output = place / f"{peer}.json"
        script = str(_HERE / "monitor_peer.py")
        run = run_command([python, script, peer, str(cases), str(output)], time_limit=_STOP_AFTER)
        if run.stopped:
            message = f"{name}: stopped, {run.stopped}"
            raise RuntimeError(message)
        found += _told(name, shown, json.loads(output.read_text()))
        found.append(Result(f"{name}: a night", run.seconds / len(shown), "s"))
    return found


def _told(name: str, shown: Sequence[Shown], drifted: Mapping[str, Sequence[str]]) -> list[Result]:
    quiet = [drifted[str(each.folder)] for each in shown if not each.fault]
    loud = 100 * sum(map(bool, quiet)) / len(quiet)
    columns = sum(map(len, quiet)) / len(quiet)
    found = [Result(f"{name}: quiet nights with a drifted column", loud,
                    f"% of {len(quiet)}, {columns:.1f} columns a night")]  # fmt: skip
    for fault in dict.fromkeys(each.fault for each in shown if each.fault):
        mine = [each for each in shown if each.fault == fault]
        named = sum(each.named_by(drifted[str(each.folder)]) for each in mine)
        found.append(Result(f"{name}: {fault}: a column that it touches drifted",
                            100 * named / len(mine), f"% of {len(mine)}"))  # fmt: skip
    return found
