"""What is said when a source is wrong: what, where, and what to do."""

import gzip
from pathlib import Path

import pytest
from door import Door

from leadlight.features.errors import ColumnNotFoundError

LEADS = "lead_id,created_at,job_title\na,2024-01-01T00:00:00Z,Chef\nb,2024-01-02T00:00:00Z,Käufer\n"


@pytest.fixture
def door(tmp_path: Path) -> Door:
    return Door(tmp_path)


def test_a_missing_file_is_named_with_the_nearest_one_there(door: Door) -> None:
    door.write("contacts.csv", LEADS)
    message = door.refuse(door.source("leads", "contact.csv"))
    assert "Did you mean 'contacts.csv'?" in message
    assert "sources.leads" in message
    assert "not exist" in door.refuse(door.source("leads", "nowhere/contacts.csv"))
    assert "is a folder" in door.refuse(door.source("leads", "."))
    assert "contacts.csv" in door.refuse(door.source("leads", "*.parquet"))
    door.write("contacts.xlsx", b"PK")
    assert "not a kind of file" in door.refuse(door.source("leads", "contacts.xlsx"))


@pytest.mark.parametrize("content", [b"", b"\n\n", b"lead_id,created_at\n"])
def test_leads_without_rows_are_refused(door: Door, content: bytes) -> None:
    door.write("leads.csv", content)
    message = door.refuse(door.source("leads", "leads.csv"))
    assert message.startswith("SourceError")
    assert "leads.csv" in message
    assert "sources.leads" in message


@pytest.mark.parametrize("table", ["events", "outcomes"])
def test_an_empty_events_or_outcomes_table_says_to_map_or_remove(door: Door, table: str) -> None:
    door.write("x.csv", "lead_id,occurred_at,event_type,closed_at,won\n")
    message = door.refuse(door.leads(), door.source(table, "x.csv"))
    assert f"{table}: x.csv has no rows" in message
    assert "Map another file" in message
    assert "remove the source" in message


def test_a_where_that_keeps_nothing_is_named(door: Door) -> None:
    door.write("leads.csv", LEADS)
    message = door.refuse(door.source("leads", "leads.csv", where="job_title = 'Nobody'"))
    assert "`where`" in message


def test_an_empty_table_of_accounts_is_only_noted(door: Door) -> None:
    door.write("a.csv", "account_id,industry\n")
    report = door.admit(door.leads(), door.source("accounts", "a.csv"))
    assert report.notes == ("accounts: a.csv has no rows.",)
    assert report.rows_kept["accounts"] == 0


def test_a_wrong_delimiter_is_refused_with_the_one_that_fits(door: Door) -> None:
    door.write("leads.csv", LEADS.replace(",", ";"))
    message = door.refuse(door.source("leads", "leads.csv", delimiter=","))
    assert "';' fits and gives 3" in message
    assert "sources.leads.delimiter" in message


@pytest.mark.parametrize("rows", [1, 20_000])
def test_bytes_that_are_not_utf8_are_located_and_latin1_is_suggested(door: Door, rows: int) -> None:
    head = "lead_id,created_at\n" + "".join(f"{i},2024-01-01\n" for i in range(rows))
    door.write("leads.csv", head.encode() + "Käufer,2024-01-01\n".encode("latin-1"))
    message = door.refuse(door.source("leads", "leads.csv"))
    assert f"position {len(head) + 1}" in message
    assert "encoding: latin-1" in message
    assert "leads.csv" in message


def test_an_unknown_encoding_and_a_binary_file_are_refused(door: Door) -> None:
    door.write("leads.csv", LEADS)
    assert "'utf-88' is not" in door.refuse(door.source("leads", "leads.csv", encoding="utf-88"))
    door.write("binary.csv", b"PK\x03\x04\x00\x00\x00")
    assert "not a text file" in door.refuse(door.source("leads", "binary.csv"))


@pytest.mark.parametrize("damage", ["cut", "flip", "not gzip"])
def test_a_damaged_gzip_file_is_refused(door: Door, damage: str) -> None:
    rows = "".join(f"l{i},2024-01-01,{i * i % 9973}\n" for i in range(20_000))
    packed = gzip.compress(f"lead_id,created_at,n\n{rows}".encode())
    middle = len(packed) // 2
    content = {
        "cut": packed[:middle],
        "flip": packed[:middle] + bytes([packed[middle] ^ 0xFF]) + packed[middle + 1 :],
        "not gzip": LEADS.encode(),
    }[damage]
    door.write("leads.csv.gz", content)
    message = door.refuse(door.source("leads", "leads.csv.gz"))
    assert message.startswith("SourceError")
    assert "is damaged" in message
    assert "leads.csv.gz" in message


@pytest.mark.parametrize("damage", ["empty", "cut", "header", "pages"])
def test_a_damaged_parquet_file_among_several_is_named(door: Door, damage: str) -> None:
    for part in range(2):
        door.parquet(
            f"l/{part}.parquet",
            f"SELECT '{part}-' || i AS lead_id, DATE '2024-01-01' AS created_at, "
            "md5(i::VARCHAR) AS note FROM range(5000) t(i)",
        )
    path = door.root / "l" / "1.parquet"
    whole = path.read_bytes()
    path.write_bytes(
        {
            "empty": b"",
            "cut": whole[:-100],
            "header": b"XXXX" + whole[4:-4] + b"XXXX",
            "pages": whole[:4] + bytes(5000) + whole[5004:],
        }[damage]
    )
    message = door.refuse(door.source("leads", "l/*.parquet"))
    assert message.startswith("SourceError")
    assert "1.parquet" in message
    assert "export it again" in message


def test_a_missing_mapped_column_is_named_with_the_nearest_and_its_place(door: Door) -> None:
    door.write("leads.csv", LEADS)
    with pytest.raises(ColumnNotFoundError) as raised:
        door.admit(door.source("leads", "leads.csv", columns={"email": "job_titel"}))
    message = str(raised.value)
    assert "leads.csv: column 'job_titel' not found. Did you mean 'job_title'?" in message
    assert "sources.leads.columns.email" in message


def test_a_missing_required_column_says_what_it_means_and_how_to_map_it(door: Door) -> None:
    door.write("e.csv", "lead_id,occured_at\na,2024-02-01\n")
    message = door.refuse(door.leads(), door.source("events", "e.csv", event_type="v"))
    assert "when it happened" in message
    assert "Did you mean 'occured_at'?" in message
    assert "sources.events.columns.occurred_at" in message
    door.write("e.csv", "lead_id,occurred_at\na,2024-02-01\n")
    assert "sources.events.event_type" in door.refuse(door.leads(), door.source("events", "e.csv"))
    door.write("d.csv", "lead_id,closed_at\na,2024-02-01\n")
    assert "sources.outcomes.won" in door.refuse(door.leads(), door.source("outcomes", "d.csv"))


def test_an_unknown_canonical_column_is_refused_with_the_nearest(door: Door) -> None:
    door.write("e.csv", "lead_id,ts\na,2024-02-01\n")
    source = door.source("events", "e.csv", columns={"ocurred_at": "ts"}, event_type="v")
    assert "Did you mean 'occurred_at'?" in door.refuse(door.leads(), source)


@pytest.mark.parametrize("key", ["won", "where"])
def test_a_missing_column_inside_an_expression_is_named_with_the_nearest(
    door: Door, key: str
) -> None:
    door.write("d.csv", "lead_id,closed_at,stage,won\na,2024-02-01,won,1\n")
    source = door.source("outcomes", "d.csv", **{key: "stge = 'won'"})
    message = door.refuse(door.leads(), source)
    assert message.startswith("ColumnNotFoundError: d.csv: column 'stge'")
    assert f"sources.outcomes.{key}" in message
    assert "Did you mean 'stage'?" in message


@pytest.mark.parametrize(
    "won", ["stage = = 'won'", "true); DROP TABLE x; --", "stage + stage", "nosuch(stage)"]
)
def test_an_expression_that_is_no_sql_is_refused(door: Door, won: str) -> None:
    door.write("d.csv", "lead_id,closed_at,stage\na,2024-02-01,won\n")
    message = door.refuse(door.leads(), door.source("outcomes", "d.csv", won=won))
    assert message.startswith("SourceError: sources.outcomes.won")
