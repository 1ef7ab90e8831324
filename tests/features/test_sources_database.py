"""Databases by URL: what they give, and that no password is ever shown."""

import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from door import Door
from postgres_server import running_server

from leadlight.features.errors import MissingExtraError, SourceError
from leadlight.features.sources import Source
from leadlight.features.sources.database import database_label, text_array


@pytest.fixture
def door(tmp_path: Path) -> Door:
    return Door(tmp_path)


@pytest.fixture(scope="module")
def postgres_url() -> Iterator[str]:
    with running_server() as url:
        yield url


def make_database(url: str) -> None:
    """Leads with every type a database may hold, in a table whose name needs quoting."""
    engine = sa.create_engine(url)
    table = sa.Table(
        "CRM Leads",
        sa.MetaData(),
        sa.Column("id", sa.Integer),
        sa.Column("created", sa.DateTime(timezone=True)),
        sa.Column("born", sa.Date),
        sa.Column("size", sa.Numeric(12, 2)),
        sa.Column("vip", sa.Boolean),
        sa.Column("extra", sa.JSON),
    )
    rows = [
        {
            "id": i,
            "created": datetime(2024, 1, 1, 10, i % 60, tzinfo=UTC),
            "born": datetime(1990, 1, 1 + i % 28, tzinfo=UTC).date() if i else None,
            "size": i / 4,
            "vip": i % 2 == 0,
            "extra": {"n": i},
        }
        for i in range(1000)
    ]
    with engine.begin() as connection:
        table.create(connection)
        connection.execute(table.insert(), rows)
    engine.dispose()


def check_database(door: Door, url: str) -> None:
    mapped = {"lead_id": "id", "created_at": "created"}
    source = Source("leads", "sources.leads", url=url, name="CRM Leads", columns=mapped)
    report = door.admit(source)
    assert report.rows_kept == {"leads": 1000}
    row = next(row for row in door.table("leads") if row["lead_id"] == "7")
    assert row["created_at"] == datetime(2024, 1, 1, 10, 7, tzinfo=UTC)
    assert (row["size"], row["born"]) == (1.75, "1990-01-08")
    query = 'SELECT id AS lead_id, created AS created_at FROM "CRM Leads" WHERE id < 10'
    report = door.admit(Source("leads", "sources.leads", url=url, query=query))
    assert report.rows_kept == {"leads": 10}
    with pytest.raises(SourceError, match="Did you mean 'CRM Leads'"):
        door.admit(Source("leads", "sources.leads", url=url, name="CRM Lead"))
    with pytest.raises(SourceError, match="cannot be read"):
        door.admit(Source("leads", "sources.leads", url=url, query="SELECT nonsense FROM nowhere"))


def test_an_sqlite_database_reads_like_a_file(door: Door) -> None:
    url = f"sqlite:///{door.root}/crm.sqlite"
    make_database(url)
    check_database(door, url)


@pytest.mark.postgres
def test_a_postgresql_database_reads_like_a_file(door: Door, postgres_url: str) -> None:
    make_database(postgres_url)
    check_database(door, postgres_url)


@pytest.mark.postgres
def test_a_wrong_password_is_refused_without_showing_it(door: Door, postgres_url: str) -> None:
    url = sa.make_url(postgres_url).set(password="s3cret!")  # noqa: S106
    source = Source(
        "leads", "sources.leads", url=url.render_as_string(hide_password=False), name="x"
    )
    message = door.refuse(source)
    assert "cannot be read" in message
    assert "127.0.0.1" in message
    assert "s3cret!" not in message + repr(source)


def test_a_missing_database_driver_names_what_to_install(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    url = "postgresql://me:s3cret!@host/db"
    source = Source("leads", "sources.leads", url=url, name="leads")
    with pytest.raises(MissingExtraError, match=r"leadlight\[postgres\]") as raised:
        door.admit(source)
    assert "s3cret!" not in str(raised.value)


@pytest.mark.parametrize(
    "url",
    ["not a url s3cret!", "nosuch://me:s3cret!@host/db", "postgresql://me:s3cret!@host:port/db"],
)
def test_a_url_that_cannot_be_used_is_refused_without_showing_it(door: Door, url: str) -> None:
    message = door.refuse(Source("leads", "sources.leads", url=url, name="leads"))
    assert message.startswith("SourceError: sources.leads")
    assert "s3cret!" not in message


def test_a_database_is_named_without_its_user_and_password() -> None:
    source = Source("leads", "s", url="postgresql://me:s3cret!@host:5433/crm", name="leads")
    assert database_label(source) == "postgresql://host:5433/crm leads"


def test_a_missing_sqlite_file_is_not_created(door: Door) -> None:
    url = f"sqlite:///{door.root}/none.sqlite"
    assert "not found" in door.refuse(Source("leads", "sources.leads", url=url, name="leads"))
    assert not (door.root / "none.sqlite").exists()


def test_values_of_a_column_of_many_types_become_text() -> None:
    values = (
        1,
        2**70,
        None,
        1.5,
        True,
        b"\x01",
        [1, {"a": None}],
        datetime(2024, 1, 1, tzinfo=UTC),
    )
    assert text_array(values).to_pylist() == [
        "1",
        str(2**70),
        None,
        "1.5",
        "true",
        "01",
        '[1, {"a": null}]',
        "2024-01-01 00:00:00+00:00",
    ]
    assert text_array((True, None)).to_pylist() == ["true", None]
    assert text_array((2**70,)).to_pylist() == [str(2**70)]


@pytest.mark.postgres
def test_an_error_late_in_a_streamed_result_leaves_nothing_behind(
    door: Door, postgres_url: str
) -> None:
    query = (
        "SELECT i AS lead_id, timestamptz '2024-01-01 00:00:00+00' AS created_at, "
        "1 / (i - {fails_at}) AS note FROM generate_series(1, 200000) AS t(i)"
    )
    source = Source("leads", "sources.leads", url=postgres_url, query=query.format(fails_at=0))
    assert door.admit(source).rows_kept == {"leads": 200_000}
    source = Source("leads", "sources.leads", url=postgres_url, query=query.format(fails_at=180000))
    assert "division by zero" in door.refuse(source)


def make_events(url: str, *, key: bool) -> None:
    """300 events, one each hour; every third is delivered twice, with a column that nobody maps."""
    engine = sa.create_engine(url)
    metadata = sa.MetaData()
    table = sa.Table(
        "visits",
        metadata,
        sa.Column("id", sa.Integer, primary_key=key, autoincrement=False),
        sa.Column("Who", sa.Text),
        sa.Column("ts", sa.DateTime(timezone=True)),
        sa.Column("day", sa.Date),
        sa.Column("kind", sa.Text),
        sa.Column("payload", sa.Text),
    )
    rows = [
        {
            "id": i,
            "Who": "abc"[i % 3],
            "ts": datetime(2024, 2, 1 + i // 72, i % 72 // 3, tzinfo=UTC) if i else None,
            "day": datetime(2024, 2, 1 + i // 72, tzinfo=UTC).date(),
            "kind": "visit",
            "payload": "x" * i,
        }
        for i in range(300)
    ]
    if not key:
        rows += rows[1::3]
    with engine.begin() as connection:
        metadata.drop_all(connection)
        table.create(connection)
        connection.execute(table.insert(), rows)
    engine.dispose()


@pytest.fixture
def statements() -> Iterator[list[str]]:
    """Every SELECT on the rows of a table that reaches a server, with its values filled in."""
    seen: list[str] = []

    def note(_: object, __: object, text: str, values: object, *___: object) -> None:
        if "visits" in text and text.lstrip().startswith("SELECT") and "pg_catalog" not in text:
            seen.append(" ".join((text % values if isinstance(values, dict) else text).split()))

    sa.event.listen(sa.Engine, "before_cursor_execute", note)
    yield seen
    sa.event.remove(sa.Engine, "before_cursor_execute", note)


def visits(url: str, **options: object) -> Source:
    columns = {"lead_id": "who", "occurred_at": "ts", "event_type": "kind"}
    return Source(
        **{"table": "events", "key": "sources.events", "url": url, "name": "visits"}
        | {"columns": columns}
        | options  # type: ignore[arg-type]
    )


@pytest.mark.postgres
@pytest.mark.parametrize("key", [True, False])
def test_the_server_sends_only_columns_that_are_used_and_rows_that_are_wanted(
    door: Door, postgres_url: str, statements: list[str], key: bool
) -> None:
    make_events(postgres_url, key=key)
    source = visits(postgres_url, since=date(2024, 2, 4), where="day <= DATE '2024-02-04'")
    report = door.admit(door.leads(), source)
    (statement,) = statements
    selected, _, conditions = statement.partition(" FROM ")
    assert "payload" not in selected
    assert all(name in selected for name in ('"Who"', ".ts", ".day", ".kind"))
    assert ("source_rows.id" in selected) == key
    assert "WHERE source_rows.ts >= 2024-02-02 00:00:00" in conditions
    assert {row["occurred_at"].day for row in door.table("events")} == {4}
    assert len(door.table("events")) == 72
    assert [row["rule"] for row in door.quarantined("events")].count("duplicated_row") == (
        0 if key else 24
    )
    assert report.notes[0] == (
        "events: what lies before 2024-02-04 is not read, as sources.events.since says."
    )


@pytest.mark.postgres
def test_what_the_server_leaves_out_changes_nothing_at_the_door(
    door: Door, postgres_url: str
) -> None:
    for key in (True, False):
        make_events(postgres_url, key=key)
        everything = 'SELECT * FROM "visits"'
        door.admit(door.leads(), visits(postgres_url, name=None, query=everything))
        whole = door.table("events")
        door.admit(door.leads(), visits(postgres_url))
        assert door.table("events") == whole
        assert len(whole) == 299
        since = {"since": date(2024, 2, 3), "timezone": "Pacific/Auckland"}
        door.admit(door.leads(), visits(postgres_url, name=None, query=everything, **since))
        late = door.table("events")
        door.admit(door.leads(), visits(postgres_url, **since))
        assert door.table("events") == late
        # There the day begins at 11 o'clock of the day before, UTC.
        assert len(late) == 13 * 3 + (300 - 2 * 72)


def test_a_column_that_a_table_lacks_is_told_before_its_rows_are_read(
    door: Door, statements: list[str]
) -> None:
    url = f"sqlite:///{door.root}/crm.sqlite"
    make_events(url, key=True)
    columns = {"lead_id": "whom", "occurred_at": "ts", "event_type": "kind"}
    message = door.refuse(door.leads(), visits(url, columns=columns))
    assert "column 'whom' not found. Did you mean 'Who'?" in message
    assert statements == []
