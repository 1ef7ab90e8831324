"""Forgetting a lead: nothing in the workspace tells of it, and no source brings it back."""

import json
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
from command import leadlight
from small_project import SmallProject, make_small_project

from leadlight.pipelines.config import load_config
from leadlight.pipelines.erased_leads import erased_of

WHO = "lead-to-forget-7f3a"
ALIAS = "visitor-91c2"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> SmallProject:
    project = make_small_project(tmp_path_factory.mktemp("forget"))
    leads = project.read("leads.csv")
    old = _busiest_without_a_deal(project)
    for name in ("leads.csv", "events.csv", "deals.csv"):
        table = project.read(name)
        column = "lead_id" if "lead_id" in table else "id"
        table[column] = table[column].where(table[column] != old, WHO)
        project.write(name, table)
    events = project.read("events.csv")
    theirs = events.index[events["lead_id"] == WHO]
    events.loc[theirs[:2], "lead_id"] = ALIAS
    events.loc[theirs[2], "occurred_at"] = "not a time"
    project.write("events.csv", events)
    created = leads.loc[leads.iloc[:, 0] == old, "created_at"].iloc[0]
    linked = pd.DataFrame({"alias": [ALIAS], "linked_at": [created], "lead_id": [WHO]})
    project.write("identities.csv", linked)
    project.configure("  outcomes:", "  identities: {path: identities.csv}\n  outcomes:")
    project.configure(
        "checks: {", "delivery: {sinks: [{name: f, kind: csv, path: out.csv}]}\nchecks: {"
    )
    assert leadlight("train", "-c", project.config).code == 0
    assert leadlight("score", "-c", project.config).code == 0
    assert leadlight("report", "-c", project.config).code == 0
    assert leadlight("deliver", "-c", project.config).code == 0
    return project


def _busiest_without_a_deal(project: SmallProject) -> str:
    counts = project.read("events.csv").groupby("lead_id").size().sort_values(ascending=False)
    dealt = set(project.read("deals.csv")["lead_id"])
    return str(next(lead for lead in counts.index if lead not in dealt))


def _told(workspace: Path) -> Iterator[str]:
    """Every file that tells of the lead, and where."""
    for path in sorted(path for path in workspace.rglob("*") if path.is_file()):
        data = path.read_bytes()
        if path.suffix == ".parquet":
            table = pq.read_table(path)
            texts = [str(value) for row in table.to_pylist() for value in row.values()]
            if any(name in text for text in texts for name in (WHO, ALIAS)):
                yield str(path)
        elif WHO.encode() in data or ALIAS.encode() in data:
            yield str(path)


def test_no_file_of_the_workspace_tells_of_an_erased_lead_and_the_next_night_brings_none_back(
    project: SmallProject,
) -> None:
    workspace = project.directory / "workspace"
    before = list(_told(workspace))
    places = {Path(path).relative_to(workspace).parts[0] for path in before}
    assert {"tables", "features", "quarantine", "ledger.db", "mlartifacts"} <= places

    ran = leadlight("forget", WHO, "-c", project.config, "--json")
    assert ran.code == 0, ran.error
    done = json.loads(ran.out)
    assert done["aliases"] == [ALIAS]
    # The list of erased ids is what keeps them away.
    assert list(_told(workspace)) == [str(workspace / "ledger.db")]

    leads = len(pq.read_table(workspace / "tables" / "leads.parquet"))
    assert leadlight("score", "-c", project.config).code == 0
    assert len(pq.read_table(workspace / "tables" / "leads.parquet")) == leads
    assert list(_told(workspace)) == [str(workspace / "ledger.db")]
    assert leadlight("explain", WHO, "-c", project.config).code == 1


def test_forgetting_again_finds_nothing_more(project: SmallProject) -> None:
    leadlight("forget", WHO, "-c", project.config)
    again = leadlight("forget", WHO, "-c", project.config, "--json")
    assert again.code == 0, again.error
    assert json.loads(again.out)["rows"] == 0


def test_a_lead_that_is_not_known_is_refused_with_the_nearest_and_nothing_is_listed(
    project: SmallProject,
) -> None:
    known = project.read("leads.csv").iloc[5, 0]
    message = leadlight("forget", f"{known}x", "-c", project.config).refused()
    assert f"'{known}'" in message
    assert f"{known}x" not in erased_of(load_config(project.config))
