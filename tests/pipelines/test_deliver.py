"""The delivery job: files and databases are told what changed, and of nobody else."""

import csv
import json
import os
import sqlite3
from pathlib import Path

import openpyxl
import pyarrow.parquet as pq
import pytest
from command import leadlight
from postgres_server import running_server
from scored_leads import Lead, ScoredProject
from sqlalchemy import Engine, create_engine, text

from leadlight.features.errors import ConfigError, LeadNotFoundError, MassChangeError
from leadlight.pipelines.deliver import deliver
from leadlight.pipelines.delivery.database import _update_or_insert
from leadlight.pipelines.delivery.results import Delivered, Wanted
from leadlight.pipelines.progress import Progress

ONE_FILE = "  sinks: [{name: file, kind: csv, path: out/leads.csv}]\n"
CHANGES = "  sinks: [{name: file, kind: jsonl, path: out/leads.jsonl, contents: changes}]\n"
DATABASE = "  sinks: [{name: db, kind: sql, url: DB_URL, table: lead_scores}]\n"


@pytest.fixture
def project(tmp_path: Path) -> ScoredProject:
    project = ScoredProject(tmp_path)
    project.configure(ONE_FILE)
    return project


def told(project: ScoredProject, **wanted: object) -> Delivered:
    options = Wanted(**wanted)  # type: ignore[arg-type]
    return deliver(project.config, Progress(quiet=True), wanted=options)


def leads(count: int, **values: object) -> list[Lead]:
    return [Lead(f"L{i:03}", 0.01 * (i % 50), **values) for i in range(count)]  # type: ignore[arg-type]


def changed(project: ScoredProject) -> list[str]:
    """The leads of the changes file that is new."""
    (path,) = (project.directory / "out").glob("leads.*.jsonl")
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    path.unlink()
    return sorted(row["lead_id"] for row in rows)


def test_only_leads_that_really_changed_are_sent(project: ScoredProject) -> None:
    project.configure(CHANGES)
    project.score(
        [Lead("same"), Lead("hotter"), Lead("aged"), Lead("other reason"), Lead("a tiny bit")]
    )
    told(project)
    assert len(changed(project)) == 5
    project.score(
        [
            Lead("same"),
            Lead("hotter", 0.2),
            Lead("aged", reasons=("Visited the pricing page 3 times in the last 7 days",)),
            Lead("other reason", reasons=("Seniority: director",)),
            Lead("a tiny bit", 0.1001),
            Lead("new"),
        ],
        night=1,
    )
    told(project)
    assert changed(project) == ["hotter", "new", "other reason"]
    told(project)
    assert not list((project.directory / "out").glob("*"))


def test_a_dry_run_shows_the_difference_and_sends_nothing(project: ScoredProject) -> None:
    project.score([Lead("a", 0.1), Lead("b", 0.2)])
    told(project)
    before = (project.directory / "out" / "leads.csv").read_bytes()
    project.score([Lead("a", 0.4, mql=True), Lead("b", 0.2)], night=1)
    ran = leadlight("deliver", "--dry-run", "-c", project.path)
    assert ran.code == 0, ran.error
    assert "lead -> mql" in ran.out
    assert "10 -> 40" in ran.out
    shown = json.loads(leadlight("deliver", "--dry-run", "--json", "-c", project.path).out)
    assert [each["lead_id"] for each in shown["sinks"][0]["changes"]] == ["a"]
    assert (project.directory / "out" / "leads.csv").read_bytes() == before


def test_many_changed_states_stop_the_delivery_before_the_first_write(
    project: ScoredProject,
) -> None:
    project.configure(CHANGES)
    project.score(leads(10))
    told(project)
    changed(project)
    project.score([lead.now(mql=i < 3) for i, lead in enumerate(leads(10))], night=1)
    with pytest.raises(MassChangeError, match="30%"):
        told(project)
    assert not list((project.directory / "out").glob("*"))
    refused = leadlight("deliver", "-c", project.path)
    assert refused.code == 6
    assert "--confirm" in refused.refused()
    told(project, confirm=True)
    assert changed(project) == ["L000", "L001", "L002"]


def test_two_changed_states_of_ten_are_no_reason_to_stop(project: ScoredProject) -> None:
    project.score(leads(10))
    told(project)
    project.score([lead.now(mql=i < 2) for i, lead in enumerate(leads(10))], night=1)
    assert told(project).sinks[0].delivered == 2


def test_whoever_opted_out_is_passed_on_to_nobody(project: ScoredProject) -> None:
    project.configure(
        "  opted_out_columns: [no_thanks]\n  sinks: [{name: f, kind: csv, path: out/leads.csv}]\n"
    )
    names = ["stays", "unsubscribed", "by alias", "by column", "by own column"]
    project.score([Lead(name) for name in names])
    project.table(
        "leads",
        lead_id=list(names),
        hs_email_optout=["false", "false", "", "true", None],
        no_thanks=[0.0, 0.0, 0.0, 0.0, 1.0],
    )
    project.table(
        "events",
        lead_id=["unsubscribed", "cookie", "stays"],
        event_type=["email_unsubscribed", "opt_out", "email_click"],
    )
    project.table("identities", alias=["cookie"], lead_id=["by alias"])
    done = told(project)
    assert done.opted_out == 4
    with (project.directory / "out" / "leads.csv").open(encoding="utf-8", newline="") as file:
        assert [row["lead_id"] for row in csv.DictReader(file)] == ["stays"]


def test_an_opt_out_column_that_leads_do_not_have_is_refused(project: ScoredProject) -> None:
    project.configure("  opted_out_columns: [e_mail]\n" + ONE_FILE)
    project.score([Lead("a")])
    with pytest.raises(ConfigError, match="Did you mean 'email'"):
        told(project)


def test_limit_and_only_state_changes_leave_the_rest_for_later(project: ScoredProject) -> None:
    project.configure(CHANGES)
    project.score([Lead("a", 0.1), Lead("b", 0.3), Lead("m", 0.2, mql=True)])
    assert told(project, only_state_changes=True).sinks[0].waiting == 2
    assert changed(project) == ["m"]
    told(project, limit=1)
    assert changed(project) == ["b"]
    told(project)
    assert changed(project) == ["a"]


def test_the_commands_options_say_which_changes_are_sent(project: ScoredProject) -> None:
    project.configure(CHANGES)
    project.score(leads(4))
    told(project)
    changed(project)
    project.score([Lead("L000", 0.9, mql=True), Lead("L001", 0.8, mql=True), Lead("new")], night=1)
    options = ("--only-state-changes", "--limit", "1", "--confirm", "--sink", "file", "--json")
    ran = leadlight("deliver", "-c", project.path, *options)
    assert ran.code == 0, ran.error
    (report,) = json.loads(ran.out)["sinks"]
    assert (report["delivered"], report["waiting"]) == (1, 2)
    assert changed(project) == ["L000"]


def test_a_file_can_be_every_format_under_the_companys_own_names(project: ScoredProject) -> None:
    fields = "fields: {lead_id: id, probability: chance, reasons_for: why, as_of: day}"
    kinds = ("csv", "xlsx", "parquet", "jsonl")
    rows = "".join(
        f"    - {{name: {kind}, kind: {kind}, path: out/l.{kind}, {fields}}}\n" for kind in kinds
    )
    project.configure(f"  sinks:\n{rows}")
    project.score([Lead("=cmd|' /C calc'!A0", 0.25, reasons=("Seniority: director", "+1"))])
    told(project)
    out = project.directory / "out"
    with (out / "l.csv").open(encoding="utf-8", newline="") as file:
        header, row = csv.reader(file)
    assert header == ["id", "chance", "why", "day"]
    assert row[0].startswith("'=")
    assert row[2] == "Seniority: director; +1"
    sheet = openpyxl.load_workbook(out / "l.xlsx").active
    assert sheet is not None
    (cells,) = sheet.iter_rows(min_row=2)
    assert [cell.data_type for cell in cells[:2]] == ["s", "n"]
    assert str(cells[0].value).startswith("'=")
    assert pq.read_table(out / "l.parquet").to_pylist()[0]["why"] == ["Seniority: director", "+1"]
    told_line = json.loads((out / "l.jsonl").read_text(encoding="utf-8"))
    assert told_line["day"] == "2026-01-01T00:00:00+00:00"


def test_a_file_that_cannot_be_written_leaves_the_other_sinks_in_peace(
    project: ScoredProject,
) -> None:
    project.configure(
        "  sinks:\n    - {name: bad, kind: csv, path: file/leads.csv}\n"
        "    - {name: good, kind: csv, path: out/leads.csv}\n"
    )
    (project.directory / "file").write_text("", encoding="utf-8")
    project.score([Lead("a")])
    ran = leadlight("deliver", "-c", project.path)
    assert ran.code == 5
    assert "cannot write" in ran.out
    assert (project.directory / "out" / "leads.csv").exists()
    (project.directory / "file").unlink()
    assert leadlight("deliver", "-c", project.path).code == 0


def test_nothing_scored_and_no_such_sink_are_one_clear_error(project: ScoredProject) -> None:
    with pytest.raises(LeadNotFoundError, match="no lead was scored"):
        told(project)
    with pytest.raises(ConfigError, match="Did you mean 'file'"):
        deliver(project.config, Progress(quiet=True), sinks=["fil"])


def rows_of(engine: Engine) -> dict[str, tuple[float, str]]:
    with engine.connect() as connection:
        found = connection.execute(text("SELECT lead_id, probability, state FROM lead_scores"))
        return {row[0]: (row[1], row[2]) for row in found}


def upserts_into(engine: Engine, project: ScoredProject) -> None:
    project.configure(DATABASE)
    project.score([Lead("a", 0.1), Lead("b", 0.2)])
    assert told(project).sinks[0].problem == ""
    project.score([Lead("a", 0.7, mql=True), Lead("c", 0.3)], night=1)
    assert told(project, confirm=True).sinks[0].delivered == 2
    assert rows_of(engine) == {"a": (0.7, "mql"), "b": (0.2, "lead"), "c": (0.3, "lead")}


def test_a_table_of_sqlite_has_one_row_for_each_lead(
    project: ScoredProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"sqlite:///{project.directory}/crm.db"
    monkeypatch.setenv("DB_URL", url)
    engine = create_engine(url)
    upserts_into(engine, project)
    engine.dispose()


def test_any_other_database_is_asked_which_leads_it_has(
    project: ScoredProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"sqlite:///{project.directory}/crm.db"
    monkeypatch.setenv("DB_URL", url)
    monkeypatch.setattr("leadlight.pipelines.delivery.database.upsert", _update_or_insert)
    engine = create_engine(url)
    upserts_into(engine, project)
    engine.dispose()


@pytest.mark.postgres
def test_postgresql_is_told_each_change_once_and_its_refusals_are_dead_letters(
    project: ScoredProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running_server() as address:
        url = address.replace("postgresql://", "postgresql+psycopg://")
        monkeypatch.setenv("DB_URL", url)
        engine = create_engine(url)
        upserts_into(engine, project)
        with engine.begin() as connection:
            connection.execute(text("ALTER TABLE lead_scores ADD CHECK (probability < 0.9)"))
        project.score([Lead("a", 0.95, mql=True), Lead("d", 0.5)], night=2)
        (report,) = told(project, confirm=True).sinks
        assert (report.delivered, report.newly_refused) == (1, 1)
        assert "violates check constraint" in report.refused["a"]
        assert told(project).is_complete
        engine.dispose()
    project.score([Lead("a", 0.6, mql=True)], night=3)
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    (gone,) = told(project, confirm=True).sinks
    assert gone.problem
    assert gone.waiting == 1
    assert "only for this" not in str(gone)


def test_a_table_without_the_column_or_the_key_is_refused_in_words(
    project: ScoredProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = project.directory / "crm.db"
    monkeypatch.setenv("DB_URL", f"sqlite:///{path}")
    project.configure(
        "  sinks: [{name: db, kind: sql, url: DB_URL, table: t, fields: {score: points}}]\n"
    )
    project.score([Lead("a")])
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE t (lead_id TEXT, point INTEGER)")
    assert "Did you mean 'point'" in told(project).sinks[0].problem
    with sqlite3.connect(path) as connection:
        connection.execute("ALTER TABLE t RENAME point TO points")
    assert "is no key" in told(project).sinks[0].problem
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE UNIQUE INDEX one ON t (lead_id)")
    assert told(project).sinks[0].delivered == 1
    connection.close()


def test_a_secret_that_is_not_set_is_named_and_its_leads_wait(project: ScoredProject) -> None:
    project.configure(DATABASE)
    project.score([Lead("a")])
    assert "DB_URL" not in os.environ
    (report,) = told(project).sinks
    assert "DB_URL is not set" in report.problem
    assert report.waiting == 1


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("{name: a, kind: sql, url: 'postgresql://u:pa55@h/d', table: t}", "name of an environ"),
        ("{name: a, kind: sqll, url: X, table: t}", "Did you mean 'sql'"),
        ("{name: a, path: x.csv}", "say `kind`: csv, xlsx"),
        ("{name: a, kind: csv, path: x, fields: {probabilty: p}}", "Did you mean 'probability'"),
        ("{name: a, kind: csv, path: x, fields: {score: p, grade: p}}", "the same name"),
        ("{name: a, kind: csv, path: x}, {name: a, kind: csv, path: y}", "two sinks are called"),
        ("{name: a, kind: csv, path: x, limit: 3}", "unknown key"),
    ],
)
def test_a_sink_that_cannot_be_meant_is_refused(
    project: ScoredProject, written: str, message: str
) -> None:
    with pytest.raises(ConfigError, match=message) as refused:
        project.configure(f"  sinks: [{written}]\n")
    assert "pa55" not in str(refused.value)
