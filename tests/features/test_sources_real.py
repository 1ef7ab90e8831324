"""Public data sets and the column shapes of real CRMs, read as they are."""

from pathlib import Path

import pytest
from door import Door, count_of

from leadlight.features.sources import Source

pytestmark = pytest.mark.real_data


@pytest.fixture
def door(tmp_path: Path) -> Door:
    return Door(tmp_path)


def test_bpi2012_events_with_offsets_over_a_clock_change(door: Door, real_data: Path) -> None:
    folder = real_data / "bpi2012"
    case = {"lead_id": "case_id"}
    report = door.admit(
        Source(
            "leads",
            "sources.leads",
            path=str(folder / "cases.csv"),
            columns={**case, "created_at": "reg_date"},
        ),
        Source(
            "events",
            "sources.events",
            path=str(folder / "events.csv.gz"),
            columns={**case, "occurred_at": "timestamp", "event_type": "activity"},
        ),
        Source(
            "outcomes",
            "sources.outcomes",
            path=str(folder / "events.csv.gz"),
            columns={**case, "closed_at": "timestamp"},
            where="activity = 'A_APPROVED'",
            won="true",
        ),
    )
    assert report.rows_kept["leads"] == 13_087
    assert report.rows_read["events"] == 262_200
    assert report.rows_kept["outcomes"] == 2_246
    first = min(row["created_at"] for row in door.table("leads"))
    assert first.isoformat() == "2011-09-30T22:38:44.546000+00:00"


def test_olist_has_one_win_before_its_first_contact(door: Door, real_data: Path) -> None:
    folder = real_data / "olist"
    report = door.admit(
        Source(
            "leads",
            "sources.leads",
            path=str(folder / "olist_marketing_qualified_leads_dataset.csv"),
            columns={"lead_id": "mql_id", "created_at": "first_contact_date"},
        ),
        Source(
            "outcomes",
            "sources.outcomes",
            path=str(folder / "olist_closed_deals_dataset.csv"),
            columns={"lead_id": "mql_id", "closed_at": "won_date"},
            won="true",
        ),
    )
    assert report.rows_kept == {"leads": 8_000, "outcomes": 841}
    assert count_of(report, "outcomes", "outcome_before_creation").rows == 1


def test_xeducation_is_a_flat_table_whose_select_means_missing(door: Door, real_data: Path) -> None:
    report = door.admit(
        Source(
            "leads",
            "sources.leads",
            path=str(real_data / "xeducation" / "Leads.csv"),
            columns={"lead_id": "Prospect ID"},
            won="Converted = 1",
            order_by="Lead Number",
            missing=("Select",),
        )
    )
    rows = door.table("leads")
    assert len(rows) == 9_240
    assert sum(row["converted"] for row in rows) / len(rows) == pytest.approx(0.385, abs=0.001)
    assert not any("Select" in row.values() for row in rows)
    assert not {"Converted", "Lead Number"} & set(report.tables.columns["leads"])


def test_bank_rows_keep_the_order_of_the_file(door: Door, real_data: Path) -> None:
    path = real_data / "bank" / "bank-additional-full.csv.gz"
    report = door.admit(
        Source("leads", "sources.leads", path=str(path), won="y = 'yes'", order_by="row")
    )
    rows = door.table("leads")
    # 12 calls are equal in every column; without an id they are calls of their own.
    assert (report.rows_kept["leads"], len(rows)) == (41_188, 41_188)
    assert {row["position"] for row in rows} == set(map(float, range(1, 41_189)))
    assert sum(row["converted"] for row in rows) == 4_640


def _leads_of(activities: dict[Path, tuple[str, str]]) -> list[Source]:
    """Leads from their own activities: the seeds' contacts and activities do not refer to each
    other. Each activity after a lead's first is a duplicate then.
    """
    return [
        Source(
            "leads",
            f"sources.leads[{path.stem}]",
            path=str(path),
            columns={"lead_id": lead, "created_at": created},
            where=f"{lead} IS NOT NULL",
        )
        for path, (lead, created) in activities.items()
    ]


def test_hubspot_shapes(door: Door, real_data: Path) -> None:
    folder = real_data / "crm_seeds" / "hubspot"
    report = door.admit(
        *_leads_of({folder / "email_event_data.csv": ("recipient", "created")}),
        Source(
            "leads",
            "sources.leads",
            path=str(folder / "contact_data.csv"),
            columns={
                "lead_id": "id",
                "created_at": "property_createdate",
                "email": "property_email",
                "job_title": "property_jobtitle",
            },
        ),
        Source(
            "accounts",
            "sources.accounts",
            path=str(folder / "company_data.csv"),
            columns={"account_id": "id", "industry": "property_industry"},
        ),
        Source(
            "events",
            "sources.events",
            path=str(folder / "email_event_data.csv"),
            columns={"lead_id": "recipient", "occurred_at": "created", "event_type": "type"},
            where="NOT filtered_event",
        ),
        Source(
            "profile_history",
            "sources.profile_history",
            path=str(folder / "contact_property_history_data.csv"),
            columns={
                "entity": "source",
                "id": "contact_id",
                "field": "name",
                "changed_at": "timestamp",
                "new_value": "value",
            },
        ),
        Source(
            "identities",
            "sources.identities",
            path=str(folder / "contact_merge_audit_data.csv"),
            columns={"alias": "vid_to_merge", "linked_at": "timestamp", "lead_id": "canonical_vid"},
        ),
        limits={"unknown_lead": None},
    )
    assert report.rows_read["leads"] >= 22
    assert report.rows_kept["events"] > 50
    assert report.rows_read["accounts"] == report.rows_kept["accounts"] == 24
    assert "property_hs_all-funky-a9384-syntax" in report.tables.columns["accounts"]
    assert not [
        count for count in report.counts if count.rule.startswith("unparsable") and count.rows
    ]


def test_salesforce_marketo_and_pardot_shapes(door: Door, real_data: Path) -> None:
    seeds = real_data / "crm_seeds"
    opens = seeds / "marketo" / "marketo_activity_open_email_data.csv"
    activities = seeds / "pardot" / "pardot_visitor_activity_data.csv"
    report = door.admit(
        *_leads_of(
            {opens: ("lead_id", "activity_date"), activities: ("prospect_id", "created_at")}
        ),
        Source(
            "leads",
            "sources.leads[0]",
            path=str(seeds / "marketo" / "marketo_lead_data.csv"),
            columns={"lead_id": "id"},
        ),
        Source(
            "leads",
            "sources.leads[1]",
            path=str(seeds / "pardot" / "pardot_prospect_data.csv"),
            columns={"lead_id": "id", "account_id": "prospect_account_id"},
        ),
        Source(
            "leads",
            "sources.leads[2]",
            path=str(seeds / "salesforce" / "sf_lead_data.csv"),
            columns={"lead_id": "id", "created_at": "created_date", "job_title": "title"},
        ),
        Source(
            "events",
            "sources.events[0]",
            path=str(opens),
            columns={"occurred_at": "activity_date"},
            event_type="email_open",
        ),
        Source(
            "events",
            "sources.events[1]",
            path=str(activities),
            columns={
                "lead_id": "prospect_id",
                "occurred_at": "created_at",
                "event_type": "type_name",
            },
        ),
        Source(
            "outcomes",
            "sources.outcomes",
            path=str(seeds / "salesforce" / "sf_opportunity_data.csv"),
            columns={"deal_id": "id", "closed_at": "close_date", "opened_at": "created_date"},
            won="is_won",
        ),
    )
    assert report.rows_read["leads"] > 201
    assert report.rows_read["events"] == 200
    assert report.rows_kept["events"] > 150
    assert report.rows_kept["outcomes"] == report.rows_read["outcomes"] == 10
    for table in ("leads", "events"):
        assert count_of(report, table, "unparsable_time").rows == 0
        assert count_of(report, table, "mixed_time_zones").rows == 0
