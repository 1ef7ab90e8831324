"""Sources in an object store: read like local files, and what is said when they cannot be."""

import gzip
import importlib
import os
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import duckdb
import fsspec
import pytest
from door import Door
from object_store import SECRET, ObjectStore, running_store

from leadlight.features.errors import LeadlightError, MissingExtraError, SourceError
from leadlight.features.sources import Source
from leadlight.features.sources.files import SourceFiles
from leadlight.features.sources.object_store import ObjectStores


@pytest.fixture
def door(tmp_path: Path) -> Door:
    return Door(tmp_path)


@pytest.fixture(scope="module")
def store() -> Iterator[ObjectStore]:
    with running_store() as running:
        yield running


def make_project(door: Door, folder: str) -> Path:
    """Leads as gzipped text, accounts in a DuckDB file, deals as text, events as Parquet parts."""
    rows = "".join(f"l{i},2024-01-01T00:00:00Z,a{i % 3},Käufer\n" for i in range(50))
    door.write(
        f"{folder}/leads.csv.gz",
        gzip.compress(f"lead_id,created_at,account_id,job_title\n{rows}".encode()),
    )
    with duckdb.connect(str(door.root / folder / "crm.duckdb")) as connection:
        connection.execute(
            "CREATE TABLE firms AS "
            "SELECT 'a' || i AS account_id, i * 10 AS employees FROM range(3) t(i)"
        )
    door.write(
        f"{folder}/deals.csv",
        "lead_id;closed_at;stage\nl1;2024-03-01;won\nl2;2024-03-02;lost\nl2;gestern;lost\n",
    )
    for part in range(3):
        # A name that is a pattern by itself must be read as it is.
        door.parquet(
            f"{folder}/views/part[{part}].parquet",
            "SELECT 'l' || (i % 60) AS lead_id, TIMESTAMPTZ '2024-02-01 00:00:00+00' "
            f"+ to_minutes(({part} * 7 + i) * 13) AS ts, '/p' || (i % 4) AS detail, "
            "md5(i::VARCHAR) AS unused FROM range(400) t(i)",
        )
    return door.root / folder


def sources_in(place: str) -> tuple[Source, ...]:
    return (
        Source("leads", "sources.leads", path=f"{place}/leads.csv.gz"),
        Source("accounts", "sources.accounts", path=f"{place}/crm.duckdb", name="firms"),
        Source(
            "events",
            "sources.events",
            path=f"{place}/views/*.parquet",
            columns={"occurred_at": "ts"},
            event_type="page_view",
        ),
        Source("outcomes", "sources.outcomes", path=f"{place}/deals.csv", won="stage = 'won'"),
    )


def test_an_object_store_gives_the_same_tables_as_local_files(
    door: Door, store: ObjectStore
) -> None:
    folder = make_project(door, "same")
    tables = ("leads", "accounts", "events", "outcomes")
    local = door.admit(*sources_in(str(folder)))
    expected = {table: door.table(table) for table in tables}
    bad = [(row["row"], row["rule"], row["record"]) for row in door.quarantined("outcomes")]
    report = door.admit(*sources_in(store.put(folder)))
    assert {table: door.table(table) for table in tables} == expected
    assert report.rows_kept == local.rows_kept
    assert [(r["row"], r["rule"], r["record"]) for r in door.quarantined("outcomes")] == bad
    assert door.quarantined("outcomes")[0]["source"] == "s3://acme/same/deals.csv"
    assert len(door.quarantined("events")) == 3 * 60


def test_only_the_columns_that_are_mapped_travel(
    door: Door, store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    door.parquet(
        "wide/events.parquet",
        "SELECT 'a' AS lead_id, TIMESTAMPTZ '2024-02-01 00:00:00+00' + to_seconds(i) AS ts, "
        "'v' AS event_type, md5(i::VARCHAR) || md5((i + 1)::VARCHAR) AS unused "
        "FROM range(150000) t(i)",
    )
    url = store.put(door.root / "wide")
    read = bytes_read(monkeypatch)
    door.admit(
        door.leads(),
        Source("events", "sources.events", path=f"{url}/*.parquet", columns={"occurred_at": "ts"}),
    )
    size = (door.root / "wide" / "events.parquet").stat().st_size
    assert len(door.table("events")) == 150_000
    assert size > 5e6
    assert 0 < sum(read) < 0.2 * size


def bytes_read(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Lengths of all ranges that are asked of the store from now on."""
    from s3fs.core import S3File  # noqa: PLC0415

    lengths: list[int] = []
    fetch = S3File._fetch_range

    def counted(self: S3File, start: int, end: int) -> bytes:
        lengths.append(end - start)
        return fetch(self, start, end)

    monkeypatch.setattr(S3File, "_fetch_range", counted)
    return lengths


def refusal(door: Door, path: str) -> str:
    message = door.refuse(Source("leads", "sources.leads", path=path))
    assert "sources.leads" in message
    assert "Traceback" not in message
    assert SECRET not in message
    return message


@pytest.mark.parametrize("name", ["leads.csv", "*.parquet", "year=*/**/*.csv.gz"])
def test_a_bucket_that_does_not_exist_is_named(door: Door, store: ObjectStore, name: str) -> None:
    message = refusal(door, f"s3://nowhere/{name}")
    assert f"s3://nowhere/{name} not found" in message
    assert "there is no bucket s3://nowhere." in message
    assert "AWS_ENDPOINT_URL" in message


def test_an_object_that_is_not_there_is_named_with_the_nearest(
    door: Door, store: ObjectStore
) -> None:
    door.write("near/contacts.csv", "lead_id,created_at\n")
    url = store.put(door.root / "near")
    assert "Did you mean 'contacts.csv'?" in refusal(door, f"{url}/contact.csv")
    assert f"no files match {url}/*.parquet" in refusal(door, f"{url}/*.parquet")
    assert "is a folder" in refusal(door, url)
    assert "has no files" in refusal(door, f"{url}/deeper/contacts.csv")
    door.write("near/contacts.xlsx", b"PK")
    assert "not a kind of file" in refusal(door, f"{store.put(door.root / 'near')}/contacts.xlsx")


@pytest.mark.parametrize("name", ["leads.parquet", "*.parquet", "leads.csv"])
def test_a_store_that_refuses_access_says_whose_rights_are_missing(
    door: Door, store: ObjectStore, name: str
) -> None:
    door.parquet("kept/leads.parquet", "SELECT 'a' AS lead_id, DATE '2024-01-01' AS created_at")
    url = store.put(door.root / "kept")
    checks_rights(store, after=0)
    try:
        message = refusal(door, f"{url}/{name}")
    finally:
        checks_rights(store, after=10**9)
    assert "may not be read" in message
    assert "right to list and to read" in message


def checks_rights(store: ObjectStore, *, after: int) -> None:
    """Let the server check rights after so many more requests."""
    request = urllib.request.Request(  # noqa: S310
        f"{store.address}/moto-api/reset-auth",
        data=str(after).encode(),
        headers={"Content-Type": "text/plain"},
    )
    urllib.request.urlopen(request).close()  # noqa: S310


def test_an_object_that_goes_away_while_it_is_read_is_named(
    door: Door, store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    from leadlight.features.sources import staging  # noqa: PLC0415

    door.parquet("gone/leads.parquet", "SELECT 'a' AS lead_id, DATE '2024-01-01' AS created_at")
    url = store.put(door.root / "gone")
    find = staging.find_files

    def find_then_remove(source: Source, stores: ObjectStores) -> SourceFiles:
        found = find(source, stores)
        store.client.rm(f"{url}/leads.parquet")
        return found

    monkeypatch.setattr(staging, "find_files", find_then_remove)
    assert f"{url}/leads.parquet is no longer there" in refusal(door, f"{url}/leads.parquet")


def test_without_credentials_the_environment_is_pointed_to(
    door: Door, store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    message = refusal(door, "s3://acme/leads.csv")
    assert "Unable to locate credentials" in message
    assert "AWS_ACCESS_KEY_ID" in message


@pytest.mark.parametrize("damage", ["cut", "text"])
def test_a_damaged_object_is_named(door: Door, store: ObjectStore, damage: str) -> None:
    path = door.parquet(
        "hurt/leads.parquet",
        "SELECT 'l' || i AS lead_id, DATE '2024-01-01' AS created_at FROM range(5000) t(i)",
    )
    path.write_bytes(path.read_bytes()[:-100] if damage == "cut" else b"lead_id,created_at\n" * 9)
    door.write("hurt/leads.csv.gz", gzip.compress(b"lead_id,created_at\na,2024-01-01\n" * 9)[:-9])
    url = store.put(door.root / "hurt")
    assert f"{url}/leads.parquet is not a readable" in refusal(door, f"{url}/*.parquet")
    message = door.refuse(Source("leads", "sources.leads", path=f"{url}/leads.csv.gz"))
    assert f"{url}/leads.csv.gz is damaged" in message


def test_a_url_never_carries_a_password_and_its_kind_is_known(door: Door) -> None:
    message = door.refuse(Source("leads", "sources.leads", path="s3://me:s3cret!@acme/leads.csv"))
    assert message.startswith("SourceError: sources.leads")
    assert "s3cret!" not in message
    assert "no store of kind 's4'" in refusal(door, "s4://acme/leads.csv")
    assert "not in an object store" in refusal(door, "https://acme.example/leads.csv?sig=1")


@pytest.mark.parametrize("package", ["fsspec", "s3fs"])
def test_a_missing_package_names_what_to_install(
    door: Door, monkeypatch: pytest.MonkeyPatch, package: str
) -> None:
    loaded = importlib.import_module("fsspec.registry")._registry
    monkeypatch.delitem(loaded, "s3", raising=False)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtraError, match=r"pip install 'leadlight\[s3\]'"):
        door.admit(Source("leads", "sources.leads", path="s3://acme/leads.csv"))


def test_any_store_that_fsspec_knows_is_read(door: Door) -> None:
    memory = fsspec.filesystem("memory")
    path = door.parquet("m.parquet", "SELECT 'a' AS lead_id, DATE '2024-01-01' AS created_at")
    memory.pipe_file("/acme/m.parquet", path.read_bytes())
    try:
        door.admit(Source("leads", "sources.leads", path="memory://acme/*.parquet"))
    finally:
        memory.rm("/acme", recursive=True)
    assert [row["lead_id"] for row in door.table("leads")] == ["a"]


def test_a_store_that_does_not_answer_is_a_domain_error(
    door: Door, store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with pytest.raises(SourceError, match="Could not connect") as raised:
        door.admit(Source("leads", "sources.leads", path="s3://acme/leads.csv"))
    assert isinstance(raised.value, LeadlightError)
    assert os.environ["AWS_ENDPOINT_URL"] in str(raised.value)


def test_a_secret_in_a_stores_own_words_is_not_passed_on(
    door: Door, store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("the key is " + SECRET)

    monkeypatch.setattr(type(store.client), "info", fail)
    assert "the key is ***" in refusal(door, "s3://acme/leads.csv")
