"""Leads with news, against a loop over one lead at a time."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from oracle import DAY, START, Lead, World, random_world, write_tables

from leadlight.features.engines import DuckDBEngine
from leadlight.features.recent_leads import recent_leads_sql


def has_news(world: World, lead: Lead, since: int) -> bool:
    aliases = {link.alias for link in world.links if link.lead_id == lead.lead_id}
    names = {lead.lead_id, *aliases}

    def known(*moments: int | None) -> bool:
        return any(moment is not None and moment >= since for moment in moments)

    return (
        known(lead.created_at)
        or any(known(each.linked_at) for each in world.links if each.lead_id == lead.lead_id)
        or any(known(e.occurred_at, e.recorded_at) for e in world.events if e.lead_id in names)
        or any(known(d.opened_at, d.closed_at) for d in world.deals if d.lead_id in names)
        or any(known(j.decided_at) for j in world.judgements if j.lead_id in names)
    )


def of_account(world: World, account: str, since: int) -> bool:
    rows = [(e.account_id, e.occurred_at, e.recorded_at) for e in world.events]
    rows += [(d.account_id, d.opened_at, d.closed_at) for d in world.deals]
    return any(
        name == account and any(moment is not None and moment >= since for moment in moments)
        for name, *moments in rows
    )


@pytest.mark.parametrize("seed", range(25))
def test_leads_with_news_and_all_of_their_company_are_found(tmp_path: Path, seed: int) -> None:
    world = random_world(seed)
    tables = write_tables(world, tmp_path)
    for days in (15, 40, 58):
        since = START + days * DAY
        own = {lead.lead_id for lead in world.leads if has_news(world, lead, since)}
        companies = {lead.account_id for lead in world.leads if lead.lead_id in own} - {None}
        expected = own | {
            lead.lead_id
            for lead in world.leads
            if lead.account_id is not None
            and (lead.account_id in companies or of_account(world, lead.account_id, since))
        }
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=since)
        with DuckDBEngine(threads=1) as engine:
            rows = engine.rows(recent_leads_sql(tables, moment))
        assert {lead for (lead,) in rows} == expected
