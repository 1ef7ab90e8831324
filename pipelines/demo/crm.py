"""What the CRM exports: contacts, companies, deals, feedback and merged identities."""

import numpy as np
import pyarrow as pa

from .columns import pick, whole_seconds, with_doubles
from .events import Events
from .journey import Deals
from .names import CompanyNames, Ids, emails
from .outcomes import LIFECYCLE, DealTerms, Feedback, OverwrittenFields
from .people import TITLES, Accounts, Leads
from .rhythm import Clock
from .vocabulary import COUNTRIES, INDUSTRIES, LEAD_SOURCES, OPEN_STAGES, REJECTIONS, STUDENT_TITLES

_OWNERS = tuple(f"owner-{number:02d}" for number in range(1, 13))
_TITLE_MISSING = 0.06
_COUNTRY_MISSING = 0.03
_CONTACTS_DOUBLED = 0.002


def companies(accounts: Accounts, ids: Ids) -> pa.Table:
    """companies.parquet: one row for each account."""
    names = CompanyNames(accounts)
    revenue = np.rint(accounts.employees * 0.14) * 1e6 / 10 + 90_000
    return pa.table(
        {
            "hs_object_id": ids.account,
            "name": names.names(),
            "domain": names.domains(),
            "industry": pick([name for name, _, _ in INDUSTRIES], accounts.industry),
            "numberofemployees": accounts.employees,
            "annualrevenue": revenue,
            "country": pick([row[0] for row in COUNTRIES], accounts.country),
        }
    )


def contacts(
    rng: np.random.Generator,
    clock: Clock,
    accounts: Accounts,
    leads: Leads,
    ids: Ids,
    fields: OverwrittenFields,
) -> pa.Table:
    """contacts.csv: one row for each lead, some twice, with fields as of the export."""
    count = len(leads)
    title = np.where(leads.title >= 0, leads.title, len(TITLES) - 1 - leads.title)
    title[rng.random(count) < _TITLE_MISSING] = -1
    country = np.where(rng.random(count) < _COUNTRY_MISSING, -1, leads.country)
    company = ids.account[leads.account] if len(ids.account) else leads.account
    table = pa.table(
        {
            "hs_object_id": ids.lead,
            "createdate": whole_seconds(clock, leads.created),
            "email": emails(rng, accounts, leads),
            "jobtitle": pick([*TITLES, *STUDENT_TITLES], title),
            "associatedcompanyid": pa.array(company, mask=leads.account < 0),
            "country": pick([row[0] for row in COUNTRIES], country),
            "hs_analytics_source": pick([row[0] for row in LEAD_SOURCES], leads.source),
            "hubspot_owner_id": pick(_OWNERS, rng.integers(0, len(_OWNERS), count)),
            "lifecyclestage": pick(LIFECYCLE, fields.lifecycle),
            "hubspotscore": fields.score,
            "notes_last_contacted": whole_seconds(clock, fields.contacted),
        }
    )
    return table.take(with_doubles(rng, count, _CONTACTS_DOUBLED))


def deals_table(clock: Clock, leads: Leads, ids: Ids, deals: Deals, terms: DealTerms) -> pa.Table:
    """deals.csv: won, lost and open deals with their contact."""
    stages = ("closedwon", "closedlost", *OPEN_STAGES)
    stage = np.where(deals.closed < 0, 2 + terms.open_stage, np.where(deals.won, 0, 1))
    order = np.argsort(deals.opened, kind="stable")
    account = leads.account[deals.lead[order]]
    table = {
        "hs_object_id": 7_000_001 + np.arange(len(order)),
        "pipeline": pick(("default",), np.zeros(len(order), np.int64)),
        "dealstage": pick(stages, stage[order]),
        "amount": terms.amount[order],
        "deal_currency_code": pick([row[1] for row in COUNTRIES], leads.country[deals.lead[order]]),
        "createdate": whole_seconds(clock, deals.opened[order]),
        "closedate": whole_seconds(clock, deals.closed[order]),
        "associatedcontactid": ids.lead[deals.lead[order]],
        "associatedcompanyid": pa.array(
            ids.account[account] if len(ids.account) else account, mask=account < 0
        ),
    }
    return pa.table(table)


def feedback_table(clock: Clock, ids: Ids, feedback: Feedback) -> pa.Table:
    """feedback.csv: what sales said of leads."""
    order = np.argsort(feedback.decided, kind="stable")
    return pa.table(
        {
            "contact_id": ids.lead[feedback.lead[order]],
            "decided_at": whole_seconds(clock, feedback.decided[order]),
            "accepted": feedback.accepted[order],
            "reason": pick(REJECTIONS, feedback.reason[order]),
        }
    )


def identities(clock: Clock, leads: Leads, events: Events, ids: Ids) -> pa.Table:
    """identities.csv: visitors from their form fill on, old contacts from their merge on."""
    anonymous = np.zeros(len(leads), dtype=np.bool_)
    anonymous[events.lead[events.at < leads.created[events.lead]]] = True
    visitor, merged = np.flatnonzero(anonymous), np.flatnonzero(ids.merged >= 0)
    alias = pa.concat_arrays(
        [ids.cookies.take(pa.array(visitor)), ids.old_texts.take(pa.array(merged))]
    )
    lead = np.concatenate([visitor, merged])
    linked = np.concatenate([leads.created[visitor], ids.merged[merged]])
    order = np.lexsort((lead, linked))
    return pa.table(
        {
            "alias": alias.take(pa.array(order)),
            "contact_id": ids.lead[lead[order]],
            "linked_at": whole_seconds(clock, linked[order]),
        }
    )
