"""The ledger: one transaction at a time, of one project, and never half-written."""

from pathlib import Path

import pytest
from postgres_server import running_server
from sqlalchemy import Column, Integer, MetaData, Table, select

from leadlight.features.errors import SchemaMismatchError, WorkspaceError
from leadlight.pipelines.config import Config, load_config
from leadlight.pipelines.ledger import METADATA, open_ledger

NOTES = Table("notes_of_a_test", MetaData(), Column("number", Integer, primary_key=True))


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return project(tmp_path, "acme")


def project(folder: Path, name: str, more: str = "") -> Config:
    path = folder / f"{name}.yaml"
    sources = "{leads: {path: leads.csv}, outcomes: {path: deals.csv, won: 'true'}}"
    path.write_text(f"project: {name}\nsources: {sources}\n{more}")
    return load_config(path)


def test_what_was_written_before_a_failure_is_taken_back(config: Config) -> None:
    with open_ledger(config) as ledger:
        NOTES.create(ledger)
        ledger.execute(NOTES.insert().values(number=1))
    with pytest.raises(WorkspaceError, match="UNIQUE"), open_ledger(config) as ledger:
        ledger.execute(NOTES.insert(), [{"number": 2}, {"number": 1}])
    with open_ledger(config) as ledger:
        assert ledger.execute(select(NOTES.c.number)).scalars().all() == [1]


def test_another_projects_ledger_is_refused(tmp_path: Path, config: Config) -> None:
    with open_ledger(config):
        pass
    with (
        pytest.raises(SchemaMismatchError, match="belongs to project 'acme'"),
        open_ledger(project(tmp_path, "other")),
    ):
        pass


def test_a_newer_leadlights_ledger_is_refused(config: Config) -> None:
    with open_ledger(config) as ledger:
        ledger.execute(METADATA.tables["owner"].update().values(format_version=99))
    with pytest.raises(SchemaMismatchError, match="format 99"), open_ledger(config):
        pass


def test_a_file_that_is_no_database_is_one_clear_error(config: Config) -> None:
    path = config.workspace_directory / "ledger.db"
    path.parent.mkdir()
    path.write_text("this is not a database, however long the text may be " * 100)
    with pytest.raises(WorkspaceError, match="cannot use the ledger"), open_ledger(config):
        pass


def test_a_server_that_is_gone_is_one_clear_error_without_its_password(tmp_path: Path) -> None:
    url = "postgresql+psycopg://leadlight:s3cret@127.0.0.1:9/ledger"
    config = project(tmp_path, "acme", f"ledger: {{url: '{url}'}}\n")
    with (
        pytest.raises(WorkspaceError, match="cannot use the ledger") as refused,
        open_ledger(config),
    ):
        pass
    assert "s3cret" not in str(refused.value)
    assert "s3cret" not in str(config.public_dict())


@pytest.mark.postgres
def test_a_ledger_may_live_on_postgres(tmp_path: Path) -> None:
    with running_server() as url:
        keeps_what_was_written(
            project(tmp_path, "acme", f"ledger: {{url: '{url.replace('://', '+psycopg://')}'}}\n")
        )


def keeps_what_was_written(config: Config) -> None:
    with open_ledger(config) as ledger:
        NOTES.create(ledger)
        ledger.execute(NOTES.insert().values(number=1))
    with open_ledger(config) as ledger:
        assert ledger.execute(select(NOTES.c.number)).scalars().all() == [1]
