"""The lifecycle over 90 nights of a demo world, and its pure function over ten million leads."""

import argparse
import tempfile
import time
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from footprint import watch_call
from results import Result, against, at_least, at_most, write_results

from leadlight.features.engines import DuckDBEngine
from leadlight.features.lead_facts import FactRules, lead_facts
from leadlight.features.tables import CanonicalTables
from leadlight.models.lifecycle import Facts, Rules, Status, Verdicts, next_status
from leadlight.models.transitions import Run, transition_log
from leadlight.pipelines.config import Config, load_config
from leadlight.pipelines.demo.world import WorldSpec, generate_world
from leadlight.pipelines.progress import Progress
from leadlight.pipelines.score import score
from leadlight.pipelines.scores import partition_of, read_scores
from leadlight.pipelines.status import read_status, read_transitions
from leadlight.pipelines.train import train
from leadlight.pipelines.workspace import Workspace

SEED = 0
DAYS = 90
AT_ONCE = 500_000
QUIET = Progress(quiet=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="2 thousand leads, weekly; 1 million")
    quick = parser.parse_args().quick
    with tempfile.TemporaryDirectory() as place:
        found = nights(Path(place) / "world", 2_000 if quick else 10_000, 7 if quick else 1)
    found += crowd(1_000_000 if quick else 10_000_000)
    write_results("lifecycle", found, seed=SEED, quick=quick)


def nights(folder: Path, leads: int, every: int) -> list[Result]:
    """Score a world as of each night of 90 days; say who flapped, and how fast leads moved."""
    config = load_config(generate_world(WorldSpec(leads=leads, seed=SEED), folder).config)
    train(config, QUIET)
    end = config.observation.observed_until
    assert end is not None  # noqa: S101 - the demo's configuration says it
    as_ofs = [end - timedelta(days=back) for back in range(DAYS, -1, -every)]
    for as_of in as_ofs:
        score(config, QUIET, as_of=as_of)
    known = read_status(config, as_ofs[0]).num_rows
    log = read_transitions(config, after=as_ofs[0]).to_pandas()
    moves = log.groupby("lead_id").size()
    return [
        Result("leads at the first run", known, ""),
        Result("runs", len(as_ofs), ""),
        against(
            "leads that changed state at all", 100 * len(moves) / known, "%",
            "whose score crossed the threshold", 100 * _crossed(config, as_ofs),
        ),
        at_most("leads that changed state more than twice in 90 days",
                100 * float((moves > 2).sum()) / known, "%", 2.0),
        against(
            "MQL verdicts taken back within 14 days", 100 * _taken_back(log), "%",
            "by the score alone", 100 * _taken_back_by_score(config, as_ofs),
        ),
        at_least("hand-raises answered by the next run", *_answered(config, as_ofs)),
        at_least("silent MQLs recycled by the next run", *_recycled(config, as_ofs)),
    ]  # fmt: skip


def _verdicts(config: Config, as_ofs: list[datetime]) -> pd.DataFrame:
    """Return whether each lead met the definition by its score, one column for each run."""
    workspace = Workspace(config.workspace_directory)
    columns = {}
    for as_of in as_ofs:
        table = read_scores(partition_of(workspace, as_of), ["lead_id", "mql"]).to_pandas()
        columns[as_of] = table.set_index("lead_id")["mql"].astype(float)
    return pd.DataFrame(columns)


def _crossed(config: Config, as_ofs: list[datetime]) -> float:
    return float((_verdicts(config, as_ofs).diff(axis=1).abs() == 1).any(axis=1).mean())


def _taken_back_by_score(config: Config, as_ofs: list[datetime]) -> float:
    verdicts = _verdicts(config, as_ofs)
    change = verdicts.diff(axis=1).stack()
    change = change[change != 0].rename("change").reset_index()
    change.columns = ["lead_id", "as_of", "change"]
    ups = change[change["change"] > 0]
    return _share_back(ups, change[change["change"] < 0])


def _taken_back(log: pd.DataFrame) -> float:
    ups = log[log["to_state"] == "mql"][["lead_id", "as_of"]]
    return _share_back(ups, log[(log["from_state"] == "mql") & (log["to_state"] == "recycled")])


def _share_back(ups: pd.DataFrame, downs: pd.DataFrame) -> float:
    both = ups.merge(downs[["lead_id", "as_of"]], on="lead_id", suffixes=("", "_down"))
    after = both["as_of_down"] - both["as_of"]
    back = both[(after > pd.Timedelta(0)) & (after <= pd.Timedelta(days=14))]
    return len(back.drop_duplicates(["lead_id", "as_of"])) / max(len(ups), 1)


def _facts(config: Config, as_of: datetime) -> pd.DataFrame:
    tables = CanonicalTables.kept_in(Workspace(config.workspace_directory).tables)
    with DuckDBEngine() as engine:
        facts = engine.table(lead_facts(engine, tables, as_of, FactRules())).to_pandas()
    return facts.set_index("lead_id")


def _answered(config: Config, as_ofs: list[datetime]) -> tuple[float, str, float]:
    """Of leads that raised a hand between two runs, and that no rule blocks: who is sql or won."""
    asked = answered = 0
    for before, as_of in pairwise(as_ofs):
        facts = _facts(config, as_of)
        raised = facts[(facts["hand_raised_at"] >= before) & (facts["bad_fit"] < 0)]
        cools = raised["rejected_at"].notna() | raised["lost_at"].notna()
        raised = raised[~raised["unsubscribed"] & ~raised["disqualified"] & ~cools]
        status = read_status(config, as_of).to_pandas().set_index("lead_id")["state"]
        asked += len(raised)
        answered += status.reindex(raised.index).isin(["sql", "customer"]).sum()
    return 100 * float(answered) / max(asked, 1), "%", 100.0


def _recycled(config: Config, as_ofs: list[datetime]) -> tuple[float, str, float]:
    """Of MQLs that had been silent for 90 days when a run looked: who is none any more."""
    silent = gone = 0
    for before, as_of in pairwise(as_ofs):
        was = read_status(config, before).to_pandas().set_index("lead_id")
        mqls = was.index[was["state"] == "mql"]
        facts = _facts(config, as_of).reindex(mqls)
        quiet = facts.index[facts["last_activity_at"] < pd.Timestamp(as_of) - pd.Timedelta(days=90)]
        now = read_status(config, as_of).to_pandas().set_index("lead_id")["state"]
        silent += len(quiet)
        gone += (now.reindex(quiet) != "mql").sum()
    return (100 * float(gone) / silent if silent else 100.0), "%", 100.0


def crowd(leads: int) -> list[Result]:
    """Move many leads, as the job streams them: half a million at a time."""
    watched = watch_call(_move, leads)
    return [
        Result("leads moved by the pure function", leads, ""),
        Result("leads a second, one core, with the log", leads / watched.returned, ""),
        Result("peak memory", watched.peak(), "MB"),
    ]


def _move(leads: int) -> float:
    as_of = np.datetime64(datetime(2026, 1, 1, tzinfo=UTC).replace(tzinfo=None), "us")
    random = np.random.default_rng(SEED)
    spent = 0.0
    for start in range(0, leads, AT_ONCE):
        rows = min(AT_ONCE, leads - start)
        previous, facts, verdicts = _drawn(random, rows, as_of)
        names = pa.array([f"L{number}" for number in range(start, start + rows)])
        reasons = pa.nulls(rows, pa.string())
        began = time.perf_counter()
        nobody = np.zeros(rows, dtype=bool)
        status = next_status(previous, facts, verdicts, Rules(), as_of=as_of, drawn=nobody)
        transition_log(names, previous, status, facts, verdicts, reasons, Run(as_of, 1, 1))
        spent += time.perf_counter() - began
    return spent


def _drawn(
    random: np.random.Generator, rows: int, as_of: np.datetime64
) -> tuple[Status, Facts, Verdicts]:
    """Draw leads in any situation."""

    def ago(share: float) -> np.ndarray:
        days = random.integers(0, 400, rows).astype("timedelta64[D]")
        moment = (as_of - days).astype("datetime64[us]")
        moment[random.random(rows) >= share] = np.datetime64("NaT", "us")
        return moment

    flags = [random.random(rows) < share for share in (0.02, 0.01, 0.05)]
    nobody = np.full(rows, -1, dtype=np.int8)
    facts = Facts(ago(1), ago(1), ago(0.05), ago(0.02), ago(0.05), ago(0.05), ago(0.03),
                  *flags, nobody, nobody)  # fmt: skip
    state = random.integers(0, 6, rows).astype(np.int8)
    previous = Status(state, ago(1), np.zeros(rows, np.int8), flags[0], np.ones(rows))
    probability = random.random(rows)
    verdicts = Verdicts.of(
        probability, (random.random(rows),), threshold=0.7, floors=(0.2,), hysteresis=0.6
    )
    return previous, facts, verdicts


if __name__ == "__main__":
    main()
