"""The door: one test for each rule, then what is published, quarantined and refused."""

import json
import signal
import subprocess
import sys
import textwrap
import time
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
from door import NOW, Door, count_of

from leadlight.features.engines import DuckDBEngine
from leadlight.features.errors import ConfigError, WorkspaceError
from leadlight.features.sources import Source
from leadlight.features.validation import RULES, admit


@pytest.fixture
def door(tmp_path: Path) -> Door:
    return Door(tmp_path)


EVENTS = ("lead_id", "occurred_at", "event_type")


def test_clean_tables_pass_whole_with_canonical_types(door: Door) -> None:
    door.write_rows(
        "contacts.csv",
        ("id", "created", "company", "score", "note"),
        [("7", "2024-01-02T03:04:05Z", "x", "1.5", "hi"), ("007", "2024-01-01", "", "2", "")],
    )
    report = door.admit(
        door.source(
            "leads",
            "contacts.csv",
            columns={"lead_id": "id", "created_at": "created", "account_id": "company"},
        )
    )
    assert report.rows_read == report.rows_kept == {"leads": 2}
    assert report.quarantine is None
    assert report.tables.columns == {
        "leads": ("lead_id", "created_at", "account_id", "score", "note")
    }
    assert door.table("leads") == [
        {
            "lead_id": "007",
            "created_at": datetime(2024, 1, 1, 23, 59, 59, 999999, tzinfo=UTC),
            "account_id": None,
            "score": 2.0,
            "note": None,
        },
        {
            "lead_id": "7",
            "created_at": datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC),
            "account_id": "x",
            "score": 1.5,
            "note": "hi",
        },
    ]
    schema = pq.read_schema(report.tables.path("leads"))
    assert [str(schema.field(name).type) for name in schema.names] == [
        "string",
        "timestamp[us, tz=UTC]",
        "string",
        "double",
        "string",
    ]


def test_a_missing_required_value_is_quarantined_with_file_row_and_record(door: Door) -> None:
    door.write_rows(
        "leads.csv", ("lead_id", "created_at"), [("a", "2024-01-01"), ("", "2024-02-01")]
    )
    report = door.admit(door.source("leads", "leads.csv"))
    count = count_of(report, "leads", "missing_required")
    assert (count.rows, count.of, count.sources) == (1, 2, ("leads.csv",))
    assert count.example == "leads.csv row 2: lead_id is missing"
    (row,) = door.quarantined("leads")
    assert (row["source"], row["row"], row["rule"]) == ("leads.csv", 2, "missing_required")
    assert json.loads(row["record"]) == {"lead_id": None, "created_at": "2024-02-01"}
    assert report.quarantine == door.quarantine
    assert report.rows_kept == {"leads": 1}


def test_an_event_may_belong_to_an_account_alone_but_not_to_nobody(door: Door) -> None:
    rows = [("", "x", "2024-02-01", "visit"), ("", "", "2024-02-01", "visit")]
    door.write_rows("e.csv", ("lead_id", "account_id", "occurred_at", "event_type"), rows)
    report = door.admit(door.leads(), door.source("events", "e.csv"))
    assert count_of(report, "events", "missing_required").rows == 1
    assert [row["account_id"] for row in door.table("events")] == ["x"]


@pytest.mark.parametrize(
    ("column", "value", "rule"),
    [
        ("occurred_at", "2024-13-01", "unparsable_time"),
        ("occurred_at", "yesterday", "unparsable_time"),
        ("occurred_at", "0011-01-01", "unparsable_time"),
        ("recorded_at", "2024-02-30T10:00:00Z", "unparsable_time"),
        ("value", "many", "unparsable_number"),
        ("value", "1,2,3", "unparsable_number"),
    ],
)
def test_an_unparsable_value_names_its_column_and_itself(
    door: Door, column: str, value: str, rule: str
) -> None:
    good = {
        "lead_id": "a",
        "occurred_at": "2024-02-01T00:00:00Z",
        "event_type": "visit",
        "recorded_at": "",
        "value": "5",
    }
    bad = {**good, column: value}
    door.write_rows("e.csv", tuple(good), [tuple(good.values()), tuple(bad.values())])
    report = door.admit(door.leads(), door.source("events", "e.csv"))
    assert count_of(report, "events", rule).rows == 1
    (row,) = door.quarantined("events")
    assert (row["column"], row["value"], row["rule"]) == (column, value, rule)
    assert value in row["message"]
    assert report.rows_kept["events"] == 1


def test_an_unparsable_boolean_is_neither_yes_nor_no(door: Door) -> None:
    rows = [("a", "2024-02-01", "Yes"), ("b", "2024-02-01", "0"), ("c", "2024-02-01", "maybe")]
    door.write_rows("f.csv", ("lead_id", "decided_at", "accepted"), rows)
    report = door.admit(door.leads(), door.source("feedback", "f.csv"))
    assert count_of(report, "feedback", "unparsable_boolean").rows == 1
    assert [row["accepted"] for row in door.table("feedback")] == [True, False]


def test_the_first_row_of_a_key_is_kept_and_the_others_are_told_apart(door: Door) -> None:
    rows = [
        ("a", "2024-01-01", "boss"),
        ("a", "2024-01-01", "clerk"),
        ("a", "2024-01-01", "boss"),
        ("b", "2024-01-01", "boss"),
    ]
    door.write_rows("leads.csv", ("lead_id", "created_at", "job_title"), rows)
    report = door.admit(door.source("leads", "leads.csv"))
    assert [(row["lead_id"], row["job_title"]) for row in door.table("leads")] == [
        ("a", "boss"),
        ("b", "boss"),
    ]
    found = [(row["row"], row["rule"]) for row in door.quarantined("leads")]
    assert found == [(2, "duplicate_key"), (3, "duplicated_row")]
    assert count_of(report, "leads", "duplicate_key").rows == 1
    assert count_of(report, "leads", "duplicated_row").rows == 1


def test_an_event_delivered_twice_counts_once_unless_it_has_only_a_date(door: Door) -> None:
    rows = [("a", "2024-02-01T10:00:00Z", "visit")] * 3 + [("a", "2024-02-02", "visit")] * 2
    door.write_rows("e.csv", EVENTS, rows)
    report = door.admit(door.leads(), door.source("events", "e.csv"))
    assert count_of(report, "events", "duplicated_row").rows == 2
    assert report.rows_kept["events"] == 3


def test_events_that_differ_in_an_unmapped_id_are_two_events(door: Door) -> None:
    rows = [(str(n), "a", "2024-02-01T10:00:00Z", "visit") for n in range(2)]
    door.write_rows("e.csv", ("event_id", *EVENTS), rows)
    assert door.admit(door.leads(), door.source("events", "e.csv")).rows_kept["events"] == 2


def test_a_deal_with_two_contacts_is_two_outcomes_but_told_twice_it_is_one(door: Door) -> None:
    header = ("deal_id", "lead_id", "closed_at", "won")
    rows = [("d", "a", "2024-03-01", "true"), ("d", "b", "2024-03-01", "true")]
    door.write_rows("d.csv", header, [*rows, ("d", "b", "2024-03-02", "false")])
    report = door.admit(door.leads(), door.source("outcomes", "d.csv"))
    assert [row["lead_id"] for row in door.table("outcomes")] == ["a", "b"]
    assert count_of(report, "outcomes", "duplicate_key").rows == 1


def test_later_than_now_is_a_future_date_but_today_is_not(door: Door) -> None:
    rows = [("a", NOW.date().isoformat(), "visit"), ("a", "2024-07-01T12:00:01Z", "visit")]
    door.write_rows("e.csv", EVENTS, rows)
    report = door.admit(door.leads(), door.source("events", "e.csv"))
    assert count_of(report, "events", "future_date").rows == 1
    assert door.quarantined("events")[0]["row"] == 2


def test_a_deal_expected_to_close_later_is_open_and_a_win_in_the_future_is_bad(door: Door) -> None:
    rows = [("a", "2025-01-01", "negotiation"), ("b", "2025-01-01", "won"), ("c", "", "talks")]
    door.write_rows("d.csv", ("lead_id", "closed_at", "stage"), rows)
    report = door.admit(door.leads(), door.source("outcomes", "d.csv", won="stage = 'won'"))
    kept = [(row["lead_id"], row["closed_at"], row["won"]) for row in door.table("outcomes")]
    assert kept == [("a", None, False), ("c", None, False)]
    assert count_of(report, "outcomes", "future_date").rows == 1
    assert any("1 deals that are not won close later" in note for note in report.notes)


def test_an_outcome_before_its_lead_was_created_is_bad_but_not_on_the_same_day(door: Door) -> None:
    leads = door.leads("a", "b", created_at="2024-02-10")
    rows = [("a", "2024-02-10T08:00:00Z", "true"), ("b", "2024-02-09T23:00:00Z", "true")]
    door.write_rows("d.csv", ("lead_id", "closed_at", "won"), rows)
    report = door.admit(leads, door.source("outcomes", "d.csv"))
    assert count_of(report, "outcomes", "outcome_before_creation").rows == 1
    assert [row["lead_id"] for row in door.table("outcomes")] == ["a"]
    assert "2024-02-10" in door.quarantined("outcomes")[0]["message"]


def test_unknown_leads_only_warn_and_aliases_are_known(door: Door) -> None:
    door.write_rows("i.csv", ("alias", "linked_at", "lead_id"), [("anon", "2024-02-02", "a")])
    rows = [(lead, "2024-02-01T00:00:00Z", "visit") for lead in ("a", "anon", *["x"] * 30)]
    door.write_rows(
        "e.csv",
        ("lead_id", "occurred_at", "event_type", "n"),
        [(*r, i) for i, r in enumerate(rows)],
    )
    report = door.admit(
        door.leads(), door.source("events", "e.csv"), door.source("identities", "i.csv")
    )
    count = count_of(report, "events", "unknown_lead")
    assert (count.rows, count.limit, count.passed) == (30, None, True)
    assert [row["lead_id"] for row in door.table("events")] == ["a", "anon"]


def test_an_unknown_contact_of_an_account_leaves_the_row_to_the_account(door: Door) -> None:
    header = ("lead_id", "account_id", "closed_at", "won")
    door.write_rows("d.csv", header, [("stranger", "acme", "2024-03-01", "true")])
    report = door.admit(door.leads(), door.source("outcomes", "d.csv"))
    assert [(row["lead_id"], row["account_id"]) for row in door.table("outcomes")] == [
        (None, "acme")
    ]
    assert any("count for the account alone" in note for note in report.notes)


def test_times_without_a_zone_among_zoned_ones_are_quarantined(door: Door) -> None:
    rows = [("a", "2024-02-01T10:00:00+02:00", "visit"), ("a", "2024-02-01T10:00:00", "visit")]
    door.write_rows("e.csv", EVENTS, [*rows, ("a", "2024-02-03", "visit")])
    report = door.admit(door.leads(), door.source("events", "e.csv"))
    assert count_of(report, "events", "mixed_time_zones").rows == 1
    assert door.quarantined("events")[0]["row"] == 2


def test_a_declared_time_zone_settles_what_naive_times_mean(door: Door) -> None:
    rows = [("a", "2024-02-01T10:00:00+05:00", "v"), ("a", "2024-02-01T10:00:00", "v")]
    door.write_rows("e.csv", EVENTS, rows)
    report = door.admit(door.leads(), door.source("events", "e.csv", timezone="Europe/Berlin"))
    assert count_of(report, "events", "mixed_time_zones").rows == 0
    assert [row["occurred_at"].hour for row in door.table("events")] == [5, 9]


def test_malformed_lines_are_quarantined_and_later_rows_keep_their_numbers(door: Door) -> None:
    text = "lead_id,created_at\na,2024-01-01\nb,2024-01-01,oops\nc\nd,never\ne,2024-01-02\n"
    door.write("leads.csv", text)
    report = door.admit(door.source("leads", "leads.csv"))
    assert [(row["row"], row["rule"]) for row in door.quarantined("leads")] == [
        (2, "malformed_row"),
        (3, "malformed_row"),
        (4, "unparsable_time"),
    ]
    assert "line 3" in door.quarantined("leads")[0]["message"]
    assert json.loads(door.quarantined("leads")[0]["record"]) == "b,2024-01-01,oops"
    assert (report.rows_read, report.rows_kept) == ({"leads": 5}, {"leads": 2})


def test_a_rule_past_its_limit_stops_the_run_with_counts_and_writes_only_the_quarantine(
    door: Door,
) -> None:
    rows = [("a", "2024-01-01", n) for n in range(3)] + [("b", "2024-01-01", 0)]
    door.write_rows("leads.csv", ("lead_id", "created_at", "n"), rows)
    message = door.refuse(door.source("leads", "leads.csv"))
    assert message.startswith("DataQualityError: leads: 2 of 4 rows (50.0%) break duplicate_key")
    assert "leads.csv row 2" in message
    assert str(door.quarantine) in message
    assert len(door.quarantined("leads")) == 2


def test_a_failure_leaves_the_earlier_tables_as_they_were(door: Door) -> None:
    good = door.leads("a")
    door.admit(good)
    before = (door.directory / "leads.parquet").read_bytes()
    door.write("bad.csv", "lead_id,created_at\nx,never\n")
    assert "unparsable_time" in door.refuse(door.source("leads", "bad.csv"))
    assert (door.directory / "leads.parquet").read_bytes() == before
    door.admit(good)
    assert not list(door.quarantine.iterdir())


def test_tables_of_an_earlier_run_do_not_linger(door: Door) -> None:
    door.write_rows("a.csv", ("account_id",), [("x",)])
    door.admit(door.leads(), door.source("accounts", "a.csv"))
    door.admit(door.leads())
    assert [path.name for path in door.directory.iterdir()] == ["leads.parquet"]


def test_the_same_input_gives_the_same_bytes_whatever_the_threads(door: Door) -> None:
    door.parquet(
        "e.parquet",
        "SELECT 'l' || (i * 7919 % 500) AS lead_id, "
        "TIMESTAMPTZ '2024-01-01 00:00:00+00' + to_seconds(i % 977) AS occurred_at, "
        "'k' || (i % 3) AS event_type, i % 11 AS value FROM range(300000) t(i)",
    )
    leads = door.leads(*(f"l{i}" for i in range(500)), created_at="2023-01-01")
    contents = []
    for threads in (1, 2, 4):
        door.admit(leads, door.source("events", "e.parquet"), threads=threads)
        contents.append(
            [(path.name, path.read_bytes()) for path in sorted(door.directory.rglob("*.parquet"))]
        )
    assert contents[0] == contents[1] == contents[2]


def test_unknown_rules_and_zones_are_named_with_the_nearest_known_one(door: Door) -> None:
    assert "Did you mean 'duplicate_key'?" in door.refuse(door.leads(), duplicat_key=0.1)
    leads = door.leads()
    zoned = door.source("leads", "leads.csv", timezone="Europe/Berlim")
    assert "Did you mean 'Europe/Berlin'?" in door.refuse(zoned)
    assert leads.timezone is None


def test_a_project_without_leads_is_refused(door: Door) -> None:
    door.write_rows("e.csv", EVENTS, [("a", "2024-02-01", "visit")])
    with pytest.raises(ConfigError, match="no leads"), DuckDBEngine() as engine:
        admit(
            engine,
            [door.source("events", "e.csv")],
            directory=door.directory,
            quarantine=door.quarantine,
            now=NOW,
        )


def test_events_none_of_which_belongs_to_a_lead_are_refused_with_an_example(door: Door) -> None:
    door.write_rows("e.csv", EVENTS, [("other", "2024-02-01", "visit")])
    message = door.refuse(door.leads(), door.source("events", "e.csv"))
    assert "none of the 1 rows is usable" in message
    assert "lead 'other' is not known" in message


def test_every_rule_says_what_it_means() -> None:
    assert all(rule.meaning for rule in RULES.values())
    assert RULES["unknown_lead"].limit is None
    assert RULES["duplicate_key"].limit is not None


@pytest.mark.slow
def test_ctrl_c_half_way_leaves_nothing_behind(door: Door) -> None:
    door.admit(door.leads("a"))
    before = door.files()
    door.parquet(
        "big.parquet",
        "SELECT 'a' AS lead_id, (1700000000 + i)::VARCHAR AS occurred_at, md5(i::VARCHAR) AS detail"
        " FROM range(4000000) t(i)",
    )
    program = f"""
        from pathlib import Path
        from datetime import UTC, datetime
        from leadlight.features.engines import DuckDBEngine
        from leadlight.features.sources import Source
        from leadlight.features.validation import admit
        root = Path({str(door.root)!r})
        with DuckDBEngine() as engine:
            admit(engine, [
                Source("leads", "sources.leads", path=str(root / "leads.csv")),
                Source("events", "sources.events", path=str(root / "big.parquet"), event_type="v"),
            ], directory=root / "workspace/tables", quarantine=root / "workspace/quarantine",
            now=datetime.now(UTC), progress=lambda text: print(text, flush=True))
    """
    running = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert running.stdout is not None
    while "events" not in running.stdout.readline():
        pass
    time.sleep(0.3)
    running.send_signal(signal.SIGINT)
    _, errors = running.communicate(timeout=60)
    assert running.returncode != 0, "it had finished before it was interrupted"
    assert "KeyboardInterrupt" in errors
    (door.root / "big.parquet").unlink()
    assert door.files() == before


def test_a_memory_limit_that_is_too_small_says_to_raise_it(tmp_path: Path) -> None:
    rows = pd.DataFrame({"lead_id": [f"L{i}" for i in range(5_000)], "created_at": "2024-01-01"})
    rows.to_csv(tmp_path / "leads.csv", index=False)
    source = Source("leads", "sources.leads", path=str(tmp_path / "leads.csv"))
    with (
        DuckDBEngine(memory_limit="1MB") as engine,
        pytest.raises(WorkspaceError, match="memory limit") as raised,
    ):
        admit(
            engine,
            [source],
            directory=tmp_path / "tables",
            quarantine=tmp_path / "quarantine",
            now=datetime(2026, 1, 1, tzinfo=UTC),
        )
    assert "memory_limit" in str(raised.value.hint)
