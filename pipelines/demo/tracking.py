"""What the web tracker, the mail tool and the marketing platform export."""

from collections.abc import Mapping
from itertools import pairwise

import numpy as np
import pyarrow as pa

from .behaviour import page_paths
from .columns import pick, times, used, whole_seconds, with_doubles
from .events import KIND, KINDS, Events
from .names import Ids, cookies
from .people import Leads
from .rhythm import Clock
from .vocabulary import ASSETS, CAMPAIGNS, SITE

_MAILS = tuple(KIND[kind] for kind in ("email_send", "email_open", "email_click"))
_PAGE_VIEWS_DOUBLED = 0.003
_PAGE_VIEWS_UNKNOWN = 0.04
_MAILS_UNKNOWN = 0.003


def page_views(
    rng: np.random.Generator, clock: Clock, leads: Leads, events: Events, ids: Ids
) -> Mapping[str, pa.Table]:
    """page_views/*.parquet: what the tracker saw, by contact id or by anonymous visitor id."""
    views = events.only(events.kind == KIND["page_view"])
    count, known = len(views), len(leads)
    visitor = np.where(views.at < leads.created[views.lead], views.lead + known, views.lead)
    # Visitors who never fill in a form, and rows that the tracker sent twice.
    strangers = rng.integers(0, max(count, 1), int(_PAGE_VIEWS_UNKNOWN * count))
    stranger = rng.integers(0, max(1, len(strangers) // 3), len(strangers)) + 2 * known
    rows = np.concatenate([with_doubles(rng, count, _PAGE_VIEWS_DOUBLED), strangers])
    at = views.at[rows]
    who = np.concatenate([visitor[rows[: len(rows) - len(strangers)]], stranger])
    order = np.argsort(at, kind="stable")
    rows, who = rows[order], who[order]
    names = [ids.lead_texts, ids.cookies, cookies(rng, max(1, len(strangers) // 3))]
    views_table = pa.table(
        {
            "ts": times(clock, views.at[rows]),
            "visitor": used(pa.concat_arrays(names), who),
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


def mails(rng: np.random.Generator, clock: Clock, events: Events, ids: Ids) -> pa.Table:
    """email.csv.gz: sends, opens and clicks, a few of them of contacts deleted since."""
    kept = events.only(np.isin(events.kind, _MAILS))
    who = ids.recorded(kept.lead, kept.at)
    gone = rng.random(len(kept)) < _MAILS_UNKNOWN
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
            "created": whole_seconds(clock, kept.at[order]),
            "contact_id": used(texts, who[order]),
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
            "contact_id": used(
                pa.concat_arrays([ids.lead_texts, ids.old_texts]),
                ids.recorded(kept.lead, kept.at),
            ),
            "activity": pick(KINDS, kept.kind),
            "occurred_at": times(clock, kept.at),
            "recorded_at": times(clock, kept.known),
            "asset": pick(assets, asset),
        }
    )
