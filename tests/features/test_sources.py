"""Reading: every kind of file, how columns map, what values and expressions mean."""

import gzip
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path

import duckdb
import pytest
from door import NOW, Door, count_of

from leadlight.features.admission import typed_rows
from leadlight.features.columns import read_columns, used_columns
from leadlight.features.engines import DuckDBEngine
from leadlight.features.sources import Source, Stage
from leadlight.features.sources.object_store import ObjectStores

LEADS = "lead_id,created_at,job_title\na,2024-01-01T00:00:00Z,Chef\nb,2024-01-02T00:00:00Z,Käufer\n"


@pytest.fixture
def door(tmp_path: Path) -> Door:
    return Door(tmp_path)


def titles(door: Door) -> list[tuple[str, str]]:
    return [(row["lead_id"], row["job_title"]) for row in door.table("leads")]


EXPECTED = [("a", "Chef"), ("b", "Käufer")]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("leads.csv", LEADS.encode()),
        ("leads.csv", LEADS.replace("\n", "\r\n").encode()),
        ("leads.csv", LEADS.encode("utf-8-sig")),
        ("leads.csv", LEADS.replace(",", ";").encode()),
        ("leads.csv", LEADS.replace(",", "|").encode()),
        ("leads.tsv", LEADS.replace(",", "\t").encode()),
        ("leads.csv.gz", gzip.compress(LEADS.encode())),
        ("leads.csv", LEADS.encode("utf-16")),
        ("leads.csv", LEADS.rstrip().encode()),
        ("leads.csv", LEADS.replace("\n", "\r\n", 2).encode()),
    ],
    ids=[
        "plain",
        "crlf",
        "mark",
        "semicolon",
        "pipe",
        "tab",
        "gzip",
        "utf16",
        "no-end",
        "mixed-ends",
    ],
)
def test_text_tables_of_every_dialect_read_alike(door: Door, name: str, content: bytes) -> None:
    door.write(name, content)
    report = door.admit(door.source("leads", name))
    assert titles(door) == EXPECTED
    assert report.quarantine is None


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "utf-16-le"])
def test_a_declared_encoding_is_used_even_under_gzip(door: Door, encoding: str) -> None:
    door.write("leads.csv.gz", gzip.compress(LEADS.encode(encoding)))
    door.admit(door.source("leads", "leads.csv.gz", encoding=encoding))
    assert titles(door) == EXPECTED


def test_quoted_line_breaks_delimiters_and_quotes_stay_in_their_value(door: Door) -> None:
    door.write("leads.csv", 'lead_id,created_at,job_title\na,2024-01-01,"x\n""y"", z"\n')
    door.admit(door.source("leads", "leads.csv"))
    assert titles(door) == [("a", 'x\n"y", z')]


@pytest.mark.parametrize("inside", ["\n", "\r\n"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_line_break_in_a_quoted_header_may_be_of_another_kind_than_the_lines_ends(
    door: Door, end: str, inside: str
) -> None:
    lines = (f'lead_id,created_at,"job{inside}title"', "a,2024-01-01,Chef", "b,2024-01-01,Käufer")
    door.write("leads.csv", end.join((*lines, "")))
    report = door.admit(door.source("leads", "leads.csv"))
    assert [tuple(row.values())[::2] for row in door.table("leads")] == EXPECTED
    assert report.quarantine is None
    assert bool(report.notes) == (end != inside)


def test_globs_read_all_their_files_and_unite_columns_by_name(door: Door) -> None:
    door.leads()
    for part in range(3):
        more = ", 'u' AS detail" if part else ""
        door.parquet(
            f"views/part-{part}.parquet",
            f"SELECT 'a' AS lead_id, TIMESTAMPTZ '2024-02-0{part + 1} 00:00:00+00' AS ts{more}",
        )
    source = door.source(
        "events", "views/*.parquet", columns={"occurred_at": "ts"}, event_type="page_view"
    )
    report = door.admit(door.leads(), source)
    assert report.rows_kept["events"] == 3
    assert [row["detail"] for row in door.table("events")] == [None, "u", "u"]
    assert {row["event_type"] for row in door.table("events")} == {"page_view"}


def test_several_sources_feed_one_table_and_keep_their_names_in_the_quarantine(door: Door) -> None:
    door.parquet("mail.parquet", "SELECT 'a' AS who, DATE '2024-02-01' AS day, 'open' AS kind")
    door.write(
        "web/v.csv.gz", gzip.compress(b"lead_id,occurred_at,detail\na,x,/pricing\na,2024-02-02,/\n")
    )
    mail = {"lead_id": "who", "occurred_at": "day", "event_type": "kind"}
    report = door.admit(
        door.leads(),
        Source("events", "sources.events[0]", path=str(door.root / "mail.parquet"), columns=mail),
        Source(
            "events",
            "sources.events[1]",
            path=str(door.root / "web/v.csv.gz"),
            event_type="page_view",
        ),
    )
    kept = [(row["event_type"], row["detail"]) for row in door.table("events")]
    assert kept == [("open", None), ("page_view", "/")]
    assert report.tables.columns["events"] == ("lead_id", "occurred_at", "event_type", "detail")
    assert door.quarantined("events")[0]["source"] == "web/v.csv.gz"


def test_a_duckdb_file_gives_tables_views_and_queries(door: Door) -> None:
    with duckdb.connect(str(door.root / "w.duckdb")) as connection:
        connection.execute("CREATE SCHEMA crm")
        connection.execute(
            "CREATE TABLE crm.people AS SELECT 'l' || i AS lead_id, "
            "DATE '2024-01-01' AS created_at FROM range(5) t(i)"
        )
        connection.execute("CREATE VIEW few AS SELECT * FROM crm.people LIMIT 2")
    for options, rows in (
        ({"name": "crm.people"}, 5),
        ({"name": "few"}, 2),
        ({"query": "SELECT * FROM crm.people WHERE lead_id < 'l3';"}, 3),
    ):
        report = door.admit(door.source("leads", "w.duckdb", **options))
        assert report.rows_kept == {"leads": rows}
    assert "Did you mean 'people'?" in door.refuse(
        door.source("leads", "w.duckdb", name="crm.peple")
    )
    door.write("broken.duckdb", b"nothing of the kind" * 1000)
    assert "cannot be opened" in door.refuse(door.source("leads", "broken.duckdb", name="x"))


def test_a_column_named_alike_is_taken_whatever_its_case_and_ids_lose_no_zeros(door: Door) -> None:
    door.parquet(
        "l.parquet",
        "SELECT * FROM (VALUES (7.0::DOUBLE, TIMESTAMP '2024-01-01', '00501', 'Chile'), "
        "(8.0, TIMESTAMP '2024-01-01', '10115', NULL)) "
        't("Lead_ID", created_at, zip, "Country")',
    )
    door.admit(door.source("leads", "l.parquet"))
    assert [(r["lead_id"], r["zip"], r["country"]) for r in door.table("leads")] == [
        ("7", "00501", "Chile"),
        ("8", "10115", None),
    ]


def test_further_columns_are_numbers_where_nearly_all_their_values_are(door: Door) -> None:
    rows = [(f"l{i:03}", "2024-01-01", i or "n/a", i if i % 5 else "some") for i in range(200)]
    door.write_rows("l.csv", ("lead_id", "created_at", "visits", "mixed"), rows)
    report = door.admit(door.source("leads", "l.csv"))
    first = door.table("leads")[0]
    assert (first["visits"], first["mixed"]) == (None, "some")
    assert door.table("leads")[6]["visits"] == 6.0
    assert report.notes == ("leads.visits: 1 of 200 values are not numbers and count as missing.",)


def test_a_column_that_a_canonical_name_hides_comes_along_under_another_name(door: Door) -> None:
    header = ("lead_id", "created_at", "utm", "source", "position")
    door.write_rows("l.csv", header, [("a", "2024-01-01", "ads", "crm", "CEO")])
    report = door.admit(door.source("leads", "l.csv", columns={"source": "utm"}))
    (row,) = door.table("leads")
    assert (row["source"], row["lead_source"], row["lead_position"]) == ("ads", "crm", "CEO")
    assert not report.tables.has("leads", "position")
    assert len(report.notes) == 2


def test_tokens_for_no_value_are_missing_everywhere(door: Door) -> None:
    rows = [("a", "2024-01-01", "Select", "-"), ("b", "2024-01-01", "Mumbai", "3")]
    door.write_rows("l.csv", ("lead_id", "created_at", "city", "visits"), rows)
    door.admit(door.source("leads", "l.csv", missing=("Select", "-")))
    assert [(r["city"], r["visits"]) for r in door.table("leads")] == [(None, None), ("Mumbai", 3)]


@pytest.mark.parametrize(
    ("won", "expected"),
    [
        ("stage = 'closedwon'", [True, False, None]),
        ("Amount > 9", [True, False, None]),
        ('"Is Won"', [True, False, False]),
        ('"Is Won" = 1', [True, False, False]),
        ("stage LIKE 'closed%' -- all that closed", [True, True, None]),
        ("true", [True, True, True]),
        ("coalesce(stage, '') IN ('closedwon') AND Amount BETWEEN 5 AND 50", [True, False, False]),
    ],
)
def test_won_is_an_expression_over_the_raw_columns(
    door: Door, won: str, expected: list[bool | None]
) -> None:
    rows = [
        ("a", "2024-03-01", "closedwon", "10", "1"),
        ("b", "2024-03-01", "closedlost", "9", "0"),
        ("c", "2024-03-01", "", "", "0"),
    ]
    door.write_rows("d.csv", ("lead_id", "closed_at", "stage", "Amount", "Is Won"), rows)
    report = door.admit(door.leads(), door.source("outcomes", "d.csv", won=won))
    kept = {row["lead_id"]: row["won"] for row in door.table("outcomes")}
    assert [kept.get(lead) for lead in "abc"] == expected
    assert count_of(report, "outcomes", "missing_required").rows == expected.count(None)


def test_where_chooses_rows_and_shares_count_only_those(door: Door) -> None:
    rows = [("a", "2024-02-01", "x", i) for i in range(10)] + [("a", "never", "y", 10)]
    door.write_rows("e.csv", ("lead_id", "occurred_at", "event_type", "n"), rows)
    source = door.source("events", "e.csv", where="n >= 8")
    report = door.admit(door.leads(), source)
    assert report.rows_read["events"] == 3
    assert count_of(report, "events", "unparsable_time").share == pytest.approx(1 / 3)
    assert door.quarantined("events")[0]["row"] == 11


def test_a_flat_table_keeps_label_and_order_out_of_the_profile(door: Door) -> None:
    rows = [("5", "yes", "red"), ("3", "no", "blue"), ("9", "", "red")]
    door.write_rows("flat.csv", ("seen", "bought", "colour"), rows)
    report = door.admit(door.source("leads", "flat.csv", won="bought = 'yes'", order_by="seen"))
    assert report.tables.is_flat
    assert report.tables.columns["leads"] == ("lead_id", "converted", "position", "colour")
    assert [tuple(row.values()) for row in door.table("leads")] == [
        ("1", True, 5.0, "red"),
        ("2", False, 3.0, "blue"),
        ("3", None, 9.0, "red"),
    ]


def test_rows_of_a_flat_table_in_several_files_are_numbered_through(door: Door) -> None:
    for part in range(3):
        door.write_rows(f"p{part}.csv", ("y", "x"), [(part % 2, part)] * 2)
    door.admit(door.source("leads", "p*.csv", won="y = 1", order_by="row"))
    assert [(r["lead_id"], r["position"], r["x"]) for r in door.table("leads")] == [
        (str(i + 1), float(i + 1), float(i // 2)) for i in range(6)
    ]


def test_a_flat_table_may_be_ordered_by_a_time(door: Door) -> None:
    door.write_rows(
        "f.csv", ("when", "y"), [("1970-01-02T00:00:00Z", 1), ("1970-01-01T00:01:00Z", 0)]
    )
    door.admit(door.source("leads", "f.csv", won="y = 1", order_by="when"))
    assert [row["position"] for row in door.table("leads")] == [86400.0, 60.0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2011-10-01T00:38:44.546+02:00", "2011-09-30T22:38:44.546000"),
        ("2011-10-01 00:38:44 +0200", "2011-09-30T22:38:44"),
        ("2011-10-01T00:38Z", "2011-10-01T00:38:00"),
        ("2011-10-01 00:38:44.546 UTC", "2011-10-01T00:38:44.546000"),
        ("2011-10-01 9:38:44", "2011-10-01T09:38:44"),
        ("2011/10/01 09:38", "2011-10-01T09:38:00"),
        ("2011-10-01", "2011-10-01T23:59:59.999999"),
        ("20111001", "2011-10-01T23:59:59.999999"),
        ("1317429524", "2011-10-01T00:38:44"),
        ("1317429524.5", "2011-10-01T00:38:44.500000"),
        ("1317429524546", "2011-10-01T00:38:44.546000"),
        ("25/12/2011", "2011-12-25T23:59:59.999999"),
        ("12/25/2011 3:04 PM", "2011-12-25T15:04:00"),
        ("25.12.2011 15:04:05", "2011-12-25T15:04:05"),
        ("12/25/11", "2011-12-25T23:59:59.999999"),
        ("1 Oct 2011", "2011-10-01T23:59:59.999999"),
        ("Oct 1, 2011", "2011-10-01T23:59:59.999999"),
        ("Sat, 01 Oct 2011 10:00:00 +0200", "2011-10-01T08:00:00"),
    ],
)
def test_common_ways_to_write_a_time_are_read(door: Door, text: str, expected: str) -> None:
    door.write_rows("l.csv", ("lead_id", "created_at"), [("a", text)])
    door.admit(door.source("leads", "l.csv"))
    assert door.table("leads")[0]["created_at"] == datetime.fromisoformat(expected).replace(
        tzinfo=UTC
    )


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("DATE '2024-01-05'", "2024-01-05T22:59:59.999999"),
        ("TIMESTAMP '2024-01-05 10:00:00'", "2024-01-05T09:00:00"),
        ("TIMESTAMPTZ '2024-01-05 10:00:00+00'", "2024-01-05T10:00:00"),
        ("TIMESTAMP_NS '2024-01-05 10:00:00.123456000'", "2024-01-05T09:00:00.123456"),
        ("1704448800", "2024-01-05T10:00:00"),
        ("1704448800123::BIGINT", "2024-01-05T10:00:00.123000"),
    ],
)
def test_native_times_keep_their_meaning_and_naive_ones_take_the_zone(
    door: Door, sql: str, expected: str
) -> None:
    door.parquet("l.parquet", f"SELECT 'a' AS lead_id, {sql} AS created_at")
    door.admit(door.source("leads", "l.parquet", timezone="Europe/Berlin"))
    assert door.table("leads")[0]["created_at"] == datetime.fromisoformat(expected).replace(
        tzinfo=UTC
    )


def test_other_values_of_the_column_tell_day_from_month(door: Door) -> None:
    rows = [("a", "03/04/2024"), ("b", "25/04/2024")]
    door.write_rows("l.csv", ("lead_id", "created_at"), rows)
    door.admit(door.source("leads", "l.csv"))
    assert door.table("leads")[0]["created_at"].month == 4


def test_day_and_month_that_cannot_be_told_apart_are_not_guessed(door: Door) -> None:
    door.write_rows("l.csv", ("lead_id", "created_at"), [("a", "03/04/2024")])
    assert "day and month cannot be told apart" in door.refuse(door.source("leads", "l.csv"))


def test_a_date_only_event_is_known_before_the_next_midnight(door: Door) -> None:
    door.write_rows("e.csv", ("lead_id", "occurred_at"), [("a", "2024-02-01")])
    door.admit(door.leads(), door.source("events", "e.csv", event_type="v"))
    (event,) = door.table("events")
    assert event["occurred_at"] < datetime(2024, 2, 2, tzinfo=UTC)
    assert event["occurred_at"] >= datetime(2024, 2, 1, 23, 59, 59, tzinfo=UTC)


def test_one_source_column_may_feed_two_canonical_ones(door: Door) -> None:
    door.write("leads.csv", LEADS)
    mapped = {"email": "lead_id", "owner": "lead_id"}
    door.admit(door.source("leads", "leads.csv", columns=mapped))
    assert [(r["email"], r["owner"]) for r in door.table("leads")] == [("a", "a"), ("b", "b")]


SINCE = date(2024, 2, 3)


@pytest.mark.parametrize(
    ("ts", "days"),
    [
        ("TIMESTAMPTZ '2024-02-01 23:00:00+00' + to_hours(i)", [2, 3, 4]),
        ("TIMESTAMP '2024-02-01 00:00:00' + to_hours(i)", [2, 3]),
        ("DATE '2024-02-01' + i::INTEGER // 24", [3]),
        ("strftime(TIMESTAMP '2024-02-01' + to_hours(i), '%Y-%m-%dT%H:%M:%S')", [2, 3]),
        ("epoch(TIMESTAMP '2024-02-01' + to_hours(i))::BIGINT", [2, 3]),
    ],
    ids=["zoned", "naive", "date", "text", "epoch"],
)
def test_since_leaves_out_what_lies_before_the_day_begins_in_the_sources_zone(
    door: Door, ts: str, days: list[int]
) -> None:
    door.parquet("e.parquet", f"SELECT 'a' AS lead_id, {ts} AS ts FROM range(72) t(i)")
    source = door.source(
        "events",
        "e.parquet",
        columns={"occurred_at": "ts"},
        event_type="v",
        timezone="Europe/Berlin",
    )
    door.admit(door.leads(), source)
    start = datetime(2024, 2, 2, 23, tzinfo=UTC)
    expected = [row for row in door.table("events") if row["occurred_at"] >= start]
    report = door.admit(door.leads(), replace(source, since=SINCE))
    assert door.table("events") == expected
    assert report.rows_read["events"] == len(expected)
    assert sorted({row["occurred_at"].day for row in expected}) == days


def test_rows_without_a_readable_time_are_quarantined_whatever_since_says(door: Door) -> None:
    door.parquet(
        "e.parquet",
        "SELECT 'a' AS lead_id, 'v' AS event_type, CASE WHEN i > 0 THEN "
        "TIMESTAMPTZ '2024-02-01 00:00:00+00' + to_days(i::INTEGER) END AS occurred_at "
        "FROM range(5) t(i)",
    )
    report = door.admit(door.leads(), door.source("events", "e.parquet", since=SINCE))
    assert count_of(report, "events", "missing_required").rows == 1
    assert report.rows_kept["events"] == 3
    late = door.source("events", "e.parquet", since=date(2030, 1, 1), where="lead_id <> 'b'")
    door.parquet("e.parquet", "SELECT 'a' AS lead_id, 'v' AS event_type, now() AS occurred_at")
    assert "has no rows that its `where` and `since` keep" in door.refuse(door.leads(), late)


def test_the_columns_and_the_days_that_are_wanted_reach_the_scan_of_the_files(door: Door) -> None:
    door.parquet(
        "e.parquet",
        "SELECT 'a' AS lead_id, 'v' AS event_type, md5(i::VARCHAR) AS unused, "
        "TIMESTAMPTZ '2023-08-01 00:00:00+00' + to_minutes(i) AS occurred_at "
        "FROM range(300000) t(i)",
    )
    source = door.source("events", "e.parquet", since=SINCE, where="lead_id = 'a'")
    with DuckDBEngine() as engine:
        stage = Stage(engine, door.root, {}, ObjectStores(), partial(used_columns, engine))
        (reading,), _ = read_columns(engine, [stage.stage(source)])
        sql = typed_rows(reading, NOW, flat=False)
        plan = engine.rows(f"EXPLAIN ANALYZE {sql}")[0][1]
    scan = " ".join(plan[plan.index("READ_PARQUET") :].replace("│", " ").split())
    assert "unused" not in scan
    assert "occurred_at >= '2024-02-01 00:00:00+00'" in scan
    assert "Row Groups Scanned: 1 / 3" in scan


@pytest.mark.slow
def test_a_large_text_file_passes_within_a_small_memory_limit(door: Door) -> None:
    rows = 1_500_000
    with duckdb.connect() as connection:
        connection.execute(
            "COPY (SELECT 'l' || (i * 7919 % 100000) AS lead_id, "
            "strftime(TIMESTAMP '2023-01-01' + to_seconds(i * 7 % 9000000), '%Y-%m-%dT%H:%M:%SZ') "
            "AS occurred_at, 'visit' AS event_type, md5(i::VARCHAR) || md5((i + 1)::VARCHAR) AS "
            f"detail FROM range({rows}) t(i)) TO '{door.root}/e.csv'"
        )
    assert (door.root / "e.csv").stat().st_size > 140e6
    door.parquet(
        "l.parquet",
        "SELECT 'l' || i AS lead_id, DATE '2022-01-01' AS created_at FROM range(100000) t(i)",
    )
    program = f"""
from datetime import UTC, datetime
from pathlib import Path
from leadlight.features.engines import DuckDBEngine
from leadlight.features.sources import Source
from leadlight.features.validation import admit
root = Path({str(door.root)!r})
with DuckDBEngine(memory_limit="250MB", threads=2) as engine:
    report = admit(engine, [
        Source("leads", "sources.leads", path=str(root / "l.parquet")),
        Source("events", "sources.events", path=str(root / "e.csv")),
    ], directory=root / "t", quarantine=root / "q", now=datetime.now(UTC))
status = Path("/proc/self/status").read_text()
print(report.rows_kept["events"], status.partition("VmHWM:")[2].split()[0])
"""
    # Not ru_maxrss: a new process starts from what the tests' own process held when it was made.
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    kept, peak_kb = map(int, ran.stdout.split())
    assert kept == rows
    assert peak_kb < 700_000
