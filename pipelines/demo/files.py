"""The world as a CRM, a web tracker and a mail tool would export it: Arrow tables and files."""

import gzip
import io
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
from numpy.typing import NDArray

from .behaviour import KIND, KINDS, Events, page_paths
from .journey import Deals
from .names import CompanyNames, Ids, cookies, emails
from .outcomes import LIFECYCLE, DealTerms, Feedback, OverwrittenFields
from .people import TITLES, Accounts, Leads
from .rhythm import DAY, Clock, Ints
from .truth import Truth
from .vocabulary import (
    ASSETS,
    CAMPAIGNS,
    COUNTRIES,
    INDUSTRIES,
    LEAD_SOURCES,
    OPEN_STAGES,
    REJECTIONS,
    SITE,
    STUDENT_TITLES,
)

Export = Callable[[], Mapping[str, pa.Table]]

_UTC = pa.timestamp("us", tz="UTC")
_OWNERS = tuple(f"owner-{number:02d}" for number in range(1, 13))
_MAILS = tuple(KIND[kind] for kind in ("email_send", "email_open", "email_click"))

TITLE_MISSING = 0.06
COUNTRY_MISSING = 0.03
CONTACTS_DOUBLED = 0.002
PAGE_VIEWS_DOUBLED = 0.003
PAGE_VIEWS_UNKNOWN = 0.04
MAILS_UNKNOWN = 0.003
CONTACTS_MERGED = 0.01


def pick(values: Sequence[str], index: NDArray[np.integer]) -> pa.Array:
    """Pick texts by index, dictionary-encoded; a negative index is a missing text."""
    # A dictionary that says a word twice makes the Parquet writer write different bytes each time.
    words = list(dict.fromkeys(values))
    place = np.array([words.index(value) for value in values], dtype=np.int32)
    return pa.DictionaryArray.from_arrays(
        pa.array(place[index], mask=index < 0), pa.array(words, pa.string())
    )


def times(clock: Clock, seconds: Ints) -> pa.Array:
    """Give times from seconds since the world's beginning; a negative one is missing."""
    micros = clock.epoch_us + seconds * 1_000_000
    return pa.array(micros, mask=seconds < 0).cast(_UTC)


def _whole_seconds(clock: Clock, seconds: Ints) -> pa.Array:
    """Give times for a CSV file, written without fractions of a second."""
    return times(clock, seconds).cast(pa.timestamp("s", tz="UTC"))


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
    title[rng.random(count) < TITLE_MISSING] = -1
    country = np.where(rng.random(count) < COUNTRY_MISSING, -1, leads.country)
    company = ids.account[leads.account] if len(ids.account) else leads.account
    table = pa.table(
        {
            "hs_object_id": ids.lead,
            "createdate": _whole_seconds(clock, leads.created),
            "email": emails(rng, accounts, leads),
            "jobtitle": pick([*TITLES, *STUDENT_TITLES], title),
            "associatedcompanyid": pa.array(company, mask=leads.account < 0),
            "country": pick([row[0] for row in COUNTRIES], country),
            "hs_analytics_source": pick([row[0] for row in LEAD_SOURCES], leads.source),
            "hubspot_owner_id": pick(_OWNERS, rng.integers(0, len(_OWNERS), count)),
            "lifecyclestage": pick(LIFECYCLE, fields.lifecycle),
            "hubspotscore": fields.score,
            "notes_last_contacted": _whole_seconds(clock, fields.contacted),
        }
    )
    return table.take(_with_doubles(rng, count, CONTACTS_DOUBLED))


def _with_doubles(rng: np.random.Generator, count: int, share: float) -> Ints:
    """Row numbers in order, some of them twice."""
    twice = rng.integers(0, count, int(share * count)) if count else np.zeros(0, np.int64)
    return np.sort(np.concatenate([np.arange(count), twice]))


def page_views(
    rng: np.random.Generator, clock: Clock, leads: Leads, events: Events, ids: Ids
) -> Mapping[str, pa.Table]:
    """page_views/*.parquet: what the tracker saw, by contact id or by anonymous visitor id."""
    views = events.only(events.kind == KIND["page_view"])
    count, known = len(views), len(leads)
    visitor = np.where(views.at < leads.created[views.lead], views.lead + known, views.lead)
    # Visitors who never fill in a form, and rows that the tracker sent twice.
    strangers = rng.integers(0, max(count, 1), int(PAGE_VIEWS_UNKNOWN * count))
    stranger = rng.integers(0, max(1, len(strangers) // 3), len(strangers)) + 2 * known
    rows = np.concatenate([_with_doubles(rng, count, PAGE_VIEWS_DOUBLED), strangers])
    at = views.at[rows]
    who = np.concatenate([visitor[rows[: len(rows) - len(strangers)]], stranger])
    order = np.argsort(at, kind="stable")
    rows, who = rows[order], who[order]
    names = [ids.lead_texts, ids.cookies, cookies(rng, max(1, len(strangers) // 3))]
    views_table = pa.table(
        {
            "ts": times(clock, views.at[rows]),
            "visitor": _used(pa.concat_arrays(names), who),
            "url": pick([SITE + path for path in page_paths()], views.detail[rows]),
            "received_at": times(clock, views.known[rows]),
        }
    )
    return _by_year(views_table)


def _by_year(views: pa.Table) -> Mapping[str, pa.Table]:
    """Split page views, ordered by time, into one file for each calendar year."""
    years = views["ts"].to_numpy().astype("M8[Y]")
    first, last = (years[0], years[-1]) if len(years) else (np.datetime64("2000", "Y"),) * 2
    bounds = np.searchsorted(years, np.arange(first, last + 2))
    return {
        f"page_views/{first + place}.parquet": views.slice(start, end - start)
        for place, (start, end) in enumerate(pairwise(bounds.tolist()))
    }


def _used(names: pa.Array, index: NDArray[np.integer]) -> pa.Array:
    """Pick texts, keeping only those in use in the dictionary."""
    used = np.zeros(len(names), dtype=np.bool_)
    used[index] = True
    place = np.cumsum(used) - 1
    return pa.DictionaryArray.from_arrays(
        pa.array(place[index].astype(np.int32)), names.filter(pa.array(used))
    )


def mails(rng: np.random.Generator, clock: Clock, events: Events, ids: Ids) -> pa.Table:
    """email.csv.gz: sends, opens and clicks, a few of them of contacts deleted since."""
    kept = events.only(np.isin(events.kind, _MAILS))
    who = ids.recorded(kept.lead, kept.at)
    gone = rng.random(len(kept)) < MAILS_UNKNOWN
    who[gone] = 2 * len(ids.lead) + rng.integers(0, 50, int(gone.sum()))
    months = (clock.epoch_us + kept.at * 1_000_000).astype("M8[us]").astype("M8[M]")
    first = months.min() if len(kept) else np.datetime64("2000-01", "M")
    month = (months - first).astype(np.int64)
    campaigns = [
        f"{first + number} {name}" for number in range(12 * clock.years + 1) for name in CAMPAIGNS
    ]
    order = np.argsort(kept.at, kind="stable")
    campaign = month * len(CAMPAIGNS) + (kept.lead + month) % len(CAMPAIGNS)
    deleted = pa.array([f"77{number:05d}" for number in range(50)])
    texts = pa.concat_arrays([ids.lead_texts, ids.old_texts, deleted])
    return pa.table(
        {
            "created": _whole_seconds(clock, kept.at[order]),
            "contact_id": _used(texts, who[order]),
            "type": pick(KINDS, kept.kind[order]),
            "campaign": pick(campaigns, campaign[order]),
        }
    )


def activities(clock: Clock, events: Events, ids: Ids) -> pa.Table:
    """activities.parquet: downloads, webinars, videos, raised hands, forms, unsubscriptions."""
    kept = events.only(~np.isin(events.kind, (KIND["page_view"], *_MAILS)))
    order = np.argsort(kept.at, kind="stable")
    kept = kept.only(order)
    assets = [name for names in ASSETS.values() for name in names]
    asset = np.where(kept.kind == KIND["unsubscribe"], -1, kept.detail)
    return pa.table(
        {
            "contact_id": _used(
                pa.concat_arrays([ids.lead_texts, ids.old_texts]),
                ids.recorded(kept.lead, kept.at),
            ),
            "activity": pick(KINDS, kept.kind),
            "occurred_at": times(clock, kept.at),
            "recorded_at": times(clock, kept.known),
            "asset": pick(assets, asset),
        }
    )


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
        "createdate": _whole_seconds(clock, deals.opened[order]),
        "closedate": _whole_seconds(clock, deals.closed[order]),
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
            "decided_at": _whole_seconds(clock, feedback.decided[order]),
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
            "linked_at": _whole_seconds(clock, linked[order]),
        }
    )


def truth_tables(clock: Clock, leads: Leads, ids: Ids, truth: Truth) -> Mapping[str, pa.Table]:
    """truth/*.parquet: what only the world's maker knows."""
    order = np.lexsort((truth.lead, truth.step))
    latent = truth.latent_probability[order]
    snapshots = pa.table(
        {
            "lead_id": _used(ids.lead_texts, truth.lead[order]),
            "as_of": times(clock, truth.step[order] * 5 * DAY),
            "probability": truth.probability[order],
            "latent_probability": pa.array(latent, mask=np.isnan(latent)),
            "converted": pa.array(truth.converted[order] == 1, mask=truth.converted[order] < 0),
        }
    )
    people = pa.table(
        {
            "lead_id": ids.lead_texts,
            "style": pick(("silent", "usual", "loud", "student"), leads.style),
            "fit": leads.fit,
            "need": leads.need,
        }
    )
    return {"truth/snapshots.parquet": snapshots, "truth/leads.parquet": people}


def _write_csv(table: pa.Table, path: Path) -> None:
    buffer = io.BytesIO()
    pa_csv.write_csv(table, buffer, pa_csv.WriteOptions(quoting_style="needed"))
    text = buffer.getbuffer()
    # A fixed time in the header, so that the same world has the same bytes.
    path.write_bytes(gzip.compress(text, 1, mtime=0) if path.suffix == ".gz" else text)


def write_table(table: pa.Table, path: Path) -> None:
    """Write a table in the format that the path's ending names."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".parquet":
        # Without Arrow's own schema, so that texts are texts for every reader.
        pq.write_table(table, path, store_schema=False, compression="zstd")
    else:
        _write_csv(table, path)


def write_exports(exports: Sequence[Export], directory: Path, workers: int | None = None) -> None:
    """Render and write exports below a directory, several at a time.

    Parameters
    ----------
    exports : sequence of callable
        Each returns tables by file name.
    directory : Path
    workers : int, optional
        Threads to use (default: one for each processor).
    """

    def write(export: Export) -> None:
        for name, table in export().items():
            write_table(table, directory / name)

    with ThreadPoolExecutor(workers or os.cpu_count()) as pool:
        for job in [pool.submit(write, export) for export in exports]:
            job.result()
