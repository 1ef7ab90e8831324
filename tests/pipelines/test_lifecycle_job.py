"""Leads move through their states night by night, and the same nights give the same states."""

import shutil
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from command import leadlight
from small_project import SmallProject, make_small_project
from sqlalchemy import text

from leadlight.features.errors import (
    ConfigError,
    LeadNotFoundError,
    SchemaMismatchError,
    WorkspaceError,
)
from leadlight.pipelines.config import load_config
from leadlight.pipelines.deliver import deliver
from leadlight.pipelines.delivery.results import Wanted
from leadlight.pipelines.explain import explain
from leadlight.pipelines.ledger import open_ledger
from leadlight.pipelines.progress import Progress
from leadlight.pipelines.score import Scored, score
from leadlight.pipelines.status import lifecycle_runs, read_status, read_transitions

START = datetime(2025, 7, 1, tzinfo=UTC)
QUIET = Progress(quiet=True)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> SmallProject:
    project = make_small_project(tmp_path_factory.mktemp("lifecycle"))
    project.configure("share: 0.2}", "share: 0.2, minimum: {engagement: 0.6}}")
    assert leadlight("train", "-c", project.config).code == 0
    return project


@pytest.fixture
def project(trained: SmallProject, tmp_path: Path) -> SmallProject:
    shutil.copytree(trained.directory, tmp_path / "project")
    return SmallProject(tmp_path / "project")


def night(project: SmallProject, days: float, **options: bool) -> Scored:
    config = load_config(project.config)
    return score(config, QUIET, as_of=START + timedelta(days=days), **options)


def states(project: SmallProject, days: float) -> dict[str, str]:
    status = read_status(load_config(project.config), START + timedelta(days=days))
    return dict(zip(status["lead_id"].to_pylist(), status["state"].to_pylist(), strict=True))


def everything(project: SmallProject) -> dict[str, bytes]:
    """Status, transitions and scores, byte by byte."""
    workspace = project.directory / "workspace"
    return {
        str(path.relative_to(workspace)): path.read_bytes()
        for folder in ("status", "scores")
        for path in sorted((workspace / folder).rglob("*"))
        if path.is_file()
    }


def add(project: SmallProject, file: str, *rows: Mapping[str, object]) -> None:
    table = project.read(file) if (project.directory / file).exists() else pd.DataFrame()
    project.write(file, pd.concat([table, pd.DataFrame(rows)]).fillna(""))


def at(days: float) -> str:
    return (START + timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%S")


def visits(who: str, page: str, *days: float) -> list[Mapping[str, object]]:
    return [
        {"lead_id": who, "occurred_at": at(day), "event_type": "page_view", "detail": page}
        for day in days
    ]


def test_replaying_all_nights_gives_what_the_nights_gave_and_a_night_again_changes_nothing(
    project: SmallProject,
) -> None:
    for days in (-60, -30, 0):
        night(project, days)
    first = everything(project)
    runs = lifecycle_runs(load_config(project.config))
    assert [run.leads for run in runs] == [len(states(project, days)) for days in (-60, -30, 0)]
    assert sum(runs[1].moves.values()) > 0

    night(project, 0)
    assert everything(project) == first
    replayed = night(project, -60, replay=True)
    assert len(replayed.replayed) == 2
    assert everything(project) == first
    assert lifecycle_runs(load_config(project.config)) == runs


def test_a_night_before_the_last_is_refused_and_nothing_is_written(project: SmallProject) -> None:
    night(project, 0)
    before = everything(project)
    with pytest.raises(WorkspaceError, match="time runs backwards") as refused:
        night(project, -30)
    assert "leadlight score --replay --as-of 2025-06-01T00:00:00" in str(refused.value.hint)
    assert everything(project) == before


def test_a_replayed_night_changes_what_follows_from_it(project: SmallProject) -> None:
    night(project, -30)
    night(project, 0)
    lead = next(lead for lead, state in states(project, 0).items() if state == "mql")
    deal = {"deal_id": "new", "lead_id": lead, "opened_at": at(-50), "closed_at": at(-40)}
    add(project, "deals.csv", {**deal, "stage": "won"})
    night(project, -30, replay=True)
    assert states(project, -30)[lead] == "customer"
    assert states(project, 0)[lead] == "customer"


def test_a_night_that_was_killed_before_it_was_committed_is_done_again(
    project: SmallProject,
) -> None:
    night(project, -30)
    night(project, 0)
    whole = everything(project)
    config = load_config(project.config)
    with open_ledger(config) as ledger:
        ledger.execute(text("DELETE FROM lifecycle_runs WHERE as_of LIKE '2025-07-01%'"))
    # What the ledger does not name does not count, though its files are there.
    assert len(read_transitions(config)) == sum(lifecycle_runs(config)[0].moves.values())
    night(project, 0)
    assert everything(project) == whole


def _rewritten(project: SmallProject, days: float, change) -> None:
    folder = project.directory / "workspace" / "status"
    for path in folder.glob(f"as_of={START + timedelta(days=days):%Y-%m-%d}*/status-*.parquet"):
        pq.write_table(change(pq.read_table(path)), path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda table: table.replace_schema_metadata(None), "is no status file of leadlight"),
        (
            lambda table: table.replace_schema_metadata(
                {b"leadlight.status": b'{"format_version": 1, "project": "other"}'}
            ),
            "belongs to project 'other', and this is 'small'",
        ),
        (
            lambda table: table.replace_schema_metadata(
                {b"leadlight.status": b'{"format_version": 99, "project": "small"}'}
            ),
            "has format 99",
        ),
        (
            lambda table: table.set_column(1, "state", pa.array(["prospect"] * len(table))),
            "unknown state 'prospect'",
        ),
    ],
)
def test_a_status_that_cannot_be_trusted_is_refused_and_nothing_is_written(
    project: SmallProject, change, message: str
) -> None:
    night(project, -30)
    _rewritten(project, -30, change)
    before = everything(project)
    with pytest.raises(SchemaMismatchError, match=message):
        night(project, 0)
    assert everything(project) == before


def test_the_journey_of_three_leads_is_told(project: SmallProject) -> None:
    """A manager who asks for a demo, a student with the same clicks, and one who falls silent."""
    person = {"account_id": "A-new", "job_title": "Director", "source": "referral"}
    created = at(1)
    add(
        project,
        "leads.csv",
        {"lead_id": "manager", "created_at": created, **person},
        {"lead_id": "student", "created_at": created, **person, "job_title": "Student"},
        {"lead_id": "silent", "created_at": created, **person},
    )
    company = {"account_id": "A-new", "industry": "Software", "employees": 900, "seats": 40}
    add(project, "accounts.csv", company)
    add(project, "identities.csv", {"alias": "anon", "linked_at": created, "lead_id": "manager"})
    project.configure("  outcomes:", "  identities: {path: identities.csv}\n  outcomes:")
    busy = [1.5 + 0.5 * step for step in range(20)]
    add(
        project,
        "events.csv",
        *visits("anon", "/blog/a", -20, -6),
        *(
            visit
            for who in ("manager", "student", "silent")
            for visit in visits(who, "/pricing", *busy)
        ),
        *(
            {**visit, "event_type": "email_click", "detail": ""}
            for who in ("manager", "student", "silent")
            for visit in visits(who, "", *busy)
        ),
        *visits("manager", "/product", 22, 30, 38),
        {"lead_id": "manager", "occurred_at": at(44.9), "event_type": "demo_request"},
    )
    people = ("manager", "student", "silent")

    def told(days: float) -> list[str | None]:
        night(project, days)
        known = states(project, days)
        return [known.get(who) for who in people]

    assert told(0) == [None, None, None]
    assert told(1.25) == ["lead", "lead", "lead"]
    assert told(15) == ["mql", "lead", "mql"]
    assert told(45) == ["sql", "lead", "mql"]
    assert told(76) == ["sql", "lead", "recycled"]

    config = load_config(project.config)
    log = read_transitions(config).to_pandas().set_index("lead_id")
    assert "reaches the threshold" in log.loc["manager", "why"].iloc[0]
    assert log.loc["manager", "why"].iloc[1] == "Asked for sales on 14 August 2025"
    assert log.loc["silent", "why"].iloc[1] == "Nothing was heard of it since 12 July 2025"
    assert "student" not in log.index
    history = explain(config, "silent").history
    assert [(move["from_state"], move["to_state"]) for move in history] == [
        ("lead", "mql"),
        ("mql", "recycled"),
    ]


def test_sales_rejects_and_the_lead_cools_down_while_an_opt_out_and_a_rule_block(
    project: SmallProject,
) -> None:
    project.configure(
        "checks: {",
        "lifecycle: {cooldown_days: 40, bad_fit: {ads: \"source = 'ads'\"}}\nchecks: {",
    )
    night(project, 0)
    mqls = [lead for lead, state in states(project, 0).items() if state == "mql"]
    leads = project.read("leads.csv").set_index("lead_id")
    assert len(mqls) > 5
    assert not (leads.loc[mqls, "source"] == "ads").any()
    rejected, unsubscribed, kept, *_ = mqls
    judged = {"lead_id": rejected, "decided_at": at(1), "accepted": "no", "reason": "No budget"}
    add(project, "feedback.csv", judged)
    project.configure("  outcomes:", "  feedback: {path: feedback.csv}\n  outcomes:")
    leaving = {"lead_id": unsubscribed, "occurred_at": at(1), "event_type": "unsubscribed"}
    again = [
        visit
        for day in (2, 30, 41)
        for who in (rejected, unsubscribed, kept)
        for visit in visits(who, "/pricing", day, day + 0.1, day + 0.2, day + 0.3)
    ]
    add(project, "events.csv", leaving, *again)

    night(project, 2)
    assert [states(project, 2)[lead] for lead in mqls[:3]] == ["recycled", "recycled", "mql"]
    why = read_transitions(load_config(project.config), after=START).to_pandas()
    why = why.set_index("lead_id")["why"]
    assert why[rejected] == "Sales rejected it: No budget"
    assert why[unsubscribed] == "It does not want to be written to any more"
    night(project, 32)
    assert states(project, 32)[rejected] == "recycled"
    night(project, 43)
    assert states(project, 43)[rejected] == "mql"
    assert states(project, 43)[unsubscribed] == "recycled"


def test_a_sink_hears_that_an_mql_became_a_customer_though_nobody_scores_it_any_more(
    project: SmallProject,
) -> None:
    project.configure(
        "checks: {",
        "delivery: {sinks: [{name: f, kind: jsonl, path: out, contents: changes}]}\nchecks: {",
    )
    config = load_config(project.config)
    night(project, 0)
    deliver(config, QUIET)
    lead = next(lead for lead, state in states(project, 0).items() if state == "mql")
    add(
        project,
        "deals.csv",
        {"deal_id": "x", "lead_id": lead, "opened_at": at(0), "closed_at": at(0.5), "stage": "won"},
    )
    night(project, 1)
    (report,) = deliver(config, QUIET, wanted=Wanted(only_state_changes=True)).sinks
    (told,) = [change for change in report.changes if change["lead_id"] == lead]
    assert (told["state_before"], told["state"]) == ("mql", "customer")


def test_a_rule_about_a_column_that_leads_do_not_have_is_named(project: SmallProject) -> None:
    project.configure("checks: {", 'lifecycle: {bad_fit: {rival: "sourc = 1"}}\nchecks: {')
    with pytest.raises(ConfigError, match=r"lifecycle\.bad_fit\.rival"):
        night(project, 0)


def rows_of(scored: Scored) -> pd.DataFrame:
    return pq.read_table(scored.partition).to_pandas().set_index("lead_id").sort_index()


def test_between_nights_leads_with_news_are_scored_as_a_whole_night_would_and_others_stay(
    project: SmallProject, tmp_path: Path
) -> None:
    before = rows_of(night(project, 0))
    lead = before.index[before["state"] == "lead"][0]
    asked = {"lead_id": lead, "occurred_at": at(0.4), "event_type": "demo_request"}
    add(project, "events.csv", asked, *visits(lead, "/pricing", 0.1, 0.2, 0.3))
    shutil.copytree(project.directory, tmp_path / "whole")

    config = load_config(project.config)
    between = score(config, QUIET, since="last")
    assert between.as_of == START + timedelta(days=0.4, microseconds=1)
    rows = rows_of(between)
    assert rows.loc[lead, "state"] == "sql"
    whole = rows_of(
        score(load_config(tmp_path / "whole" / "leadlight.yaml"), QUIET, as_of=between.as_of)
    )
    account = project.read("leads.csv").set_index("lead_id")["account_id"]
    touched = account.index[account == account[lead]].intersection(rows.index)
    pd.testing.assert_frame_equal(rows.loc[touched], whole.loc[touched])
    others = rows.index.difference(touched)
    assert len(others) > 100
    kept = ["as_of", "probability", "grade", "mql"]
    pd.testing.assert_frame_equal(rows.loc[others, kept], before.loc[others, kept])

    first = everything(project)
    night(project, 0, replay=True)
    assert everything(project) == first


def test_between_nights_nothing_newer_and_another_champion_are_refused(
    project: SmallProject,
) -> None:
    config = load_config(project.config)
    with pytest.raises(LeadNotFoundError, match="no lead was scored yet"):
        score(config, QUIET, since="last")
    night(project, 0)
    with pytest.raises(WorkspaceError, match="nothing is newer than the last run"):
        score(config, QUIET, since="last")
    with open_ledger(config) as ledger:
        ledger.execute(text("UPDATE lifecycle_runs SET as_of = '2025-06-01T00:00:00.000000+00:00'"))
    folder = project.directory / "workspace" / "scores"
    (partition,) = folder.glob("*")
    rows = pq.ParquetFile(partition / "part-00000.parquet").read()
    other = pa.array([9] * len(rows), pa.int64())
    rows = rows.set_column(rows.column_names.index("decision_version"), "decision_version", other)
    pq.write_table(rows, partition / "part-00000.parquet")
    partition.rename(folder / "as_of=2025-06-01T00-00-00")
    with pytest.raises(WorkspaceError, match="the champion changed since the last run"):
        score(config, QUIET, since="last")
    refused = leadlight("score", "-c", project.config, "--since", "yesterday")
    assert "--since: 'yesterday' is not a date or time" in refused.refused()
