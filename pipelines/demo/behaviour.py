"""What leads do: visits and their pages, mails and their fate, and activities."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .events import KIND, Events, Evidence
from .journey import CUSTOMER, NOBODY, Journeys
from .people import Leads
from .rates import (
    PAGE_SHARES,
    PAGES_PER_VISIT,
    PROCESSES,
    SEND_RATE,
    STUDENT_PAGES,
    mail_fates,
    process_rates,
)
from .rhythm import DAY, STEP, Clock, Floats, Ints
from .vocabulary import ASSETS, PAGES, TRACKING

_PLAYED_STATES = CUSTOMER + 1

# Besides, opening a deal is preceded by a raised hand that often.
_HANDS_BEFORE_DEAL = (("demo_request", 0.40), ("trial_started", 0.15), ("form_submit", 0.20))


def page_paths() -> tuple[str, ...]:
    """List the pages of the site with each tracking suffix, in the order of `Events.detail`."""
    return tuple(
        path + (tracking if "?" not in path else "")
        for paths in PAGES.values()
        for path in paths
        for tracking in TRACKING
    )


_PAGE_COUNTS = np.array([len(paths) for paths in PAGES.values()])
_PAGE_OFFSETS = np.cumsum(_PAGE_COUNTS) - _PAGE_COUNTS
ASSET_OFFSETS = dict(
    zip(ASSETS, np.cumsum([0, *(len(names) for names in ASSETS.values())]).tolist(), strict=False)
)
_ASSETS_OF = {
    "download": "download",
    "webinar_registered": "webinar",
    "webinar_attended": "webinar",
    "video_watched": "video",
    "demo_request": "demo",
    "trial_started": "trial",
    "form_submit": "form",
}


@dataclass(frozen=True)
class _Cells:
    """The (lead, step) cells of a group, sorted by what can happen in them."""

    order: NDArray[np.intp]
    start: Ints
    count: Ints
    leads: int

    def draw(self, rng: np.random.Generator, rates: Floats) -> tuple[Ints, Ints, Ints]:
        """Draw lead, step and code of a Poisson number of things for each code's rate.

        All cells of a code share one rate, so their total is drawn first and then spread over
        them evenly: the same law as a draw for each cell, at the cost of what happens only.
        """
        size = rng.poisson(rates * self.count)
        code = np.repeat(np.arange(len(rates)), size)
        place = self.start[code] + (rng.random(len(code)) * self.count[code]).astype(np.int64)
        step, lead = np.divmod(self.order[place], self.leads)
        return lead, step, code


def _cells(journeys: Journeys, leads: Leads) -> _Cells:
    """Sort cells by code = (web only?, state, style): before its creation a lead only visits."""
    steps, count = journeys.state.shape
    web_only = np.arange(steps)[:, None] <= leads.created_step[None, :]
    code = (journeys.state + web_only.astype(np.uint8) * np.uint8(8)) * np.uint8(4)
    code += leads.style[None, :]
    flat = code.reshape(-1)
    size = np.bincount(flat, minlength=64)
    return _Cells(np.argsort(flat, kind="stable"), np.cumsum(size) - size, size, count)


def _by_code(rates: Floats, *, web_only: bool) -> Floats:
    """Spread rates (4 styles, 6 states) over the 64 codes of `_cells`."""
    by_code = np.zeros((2, 8, 4))
    by_code[0, :_PLAYED_STATES] = rates.T
    if web_only:
        by_code[1, :_PLAYED_STATES] = rates.T
    return by_code.reshape(-1)


def behave(
    rng: np.random.Generator, clock: Clock, leads: Leads, journeys: Journeys
) -> tuple[Events, Evidence]:
    """Draw the events of a group of leads, and what they say of the hidden states.

    Parameters
    ----------
    rng : numpy.random.Generator
    clock : Clock
    leads : Leads
        The group.
    journeys : Journeys
        The group's hidden states and deals.
    """
    cells = _cells(journeys, leads)
    rates = process_rates()
    views, views_evidence = _visits(rng, clock, cells, rates[0])
    mails, mails_evidence = _mails(rng, clock, cells)
    deeds, deeds_evidence = _activities(rng, clock, cells, rates)
    extra = [_form_fills(rng, leads), _raised_hands(rng, journeys)]
    evidence = (views_evidence, mails_evidence, deeds_evidence)
    return (
        Events.together([views, mails, deeds, *extra]),
        Evidence(
            np.concatenate([part.lead for part in evidence]),
            np.concatenate([part.step for part in evidence]),
            np.concatenate([part.kind for part in evidence]),
        ),
    )


def _events(
    lead: NDArray[np.integer], kind: str | NDArray[np.uint8], detail: Ints, at: Ints, known: Ints
) -> Events:
    kinds = np.full(len(at), KIND[kind], np.uint8) if isinstance(kind, str) else kind
    return Events(lead.astype(np.int32), kinds, detail.astype(np.int16), at, known)


def _visits(
    rng: np.random.Generator, clock: Clock, cells: _Cells, rates: Floats
) -> tuple[Events, Evidence]:
    lead, step, code = cells.draw(rng, _by_code(rates, web_only=True))
    arrival = clock.moments(rng, step)
    bounds = np.cumsum(PAGES_PER_VISIT)
    pages = 1 + np.searchsorted(bounds[:-1], rng.random(len(lead)))
    visit = np.repeat(np.arange(len(lead)), pages)
    order = np.arange(len(visit)) - np.repeat(np.cumsum(pages) - pages, pages)
    shares = np.empty((8, 4, len(_PAGE_COUNTS)))
    shares[:_PLAYED_STATES] = PAGE_SHARES[:, None, :]
    shares[:, 3] = STUDENT_PAGES
    shares[NOBODY:] = STUDENT_PAGES
    # Inverse transform by look-up: 512 slots for each (state, style).
    slots = (np.arange(512) + 0.5) / 512
    table = np.array(
        [np.searchsorted(np.cumsum(row)[:-1], slots) for row in shares.reshape(32, -1)],
        dtype=np.uint8,
    )
    kind = table[code[visit] & 31, rng.integers(0, 512, len(visit), dtype=np.uint16)]
    # Multiplying two draws favours the first pages of each kind.
    draw = rng.random((3, len(visit)), dtype=np.float32)
    page = _PAGE_OFFSETS[kind] + (draw[0] * draw[1] * _PAGE_COUNTS[kind]).astype(np.int64)
    detail = page * len(TRACKING) + np.where(
        order == 0, (draw[2] * len(TRACKING)).astype(np.int64), 0
    )
    dwell = 20 + (draw[2] * 180).astype(np.int64)
    at = arrival[visit] + order * dwell
    late = np.where(draw[1] < 0.01, (draw[0] * 3 * DAY).astype(np.int64), 0)
    evidence = Evidence(
        np.concatenate([lead, lead[visit]]),
        np.concatenate([step, step[visit]]),
        np.concatenate([np.zeros(len(lead), np.uint8), kind + np.uint8(len(PROCESSES))]),
    )
    return _events(lead[visit], "page_view", detail, at, at + 1 + late), evidence


def _mails(rng: np.random.Generator, clock: Clock, cells: _Cells) -> tuple[Events, Evidence]:
    lead, step, code = cells.draw(rng, _by_code(np.full((4, 6), SEND_RATE), web_only=False))
    sent = clock.moments(rng, step, days=3)
    fates = np.cumsum(mail_fates(), axis=-1)[:, :, :3]
    fate = (rng.random(len(lead))[:, None] >= fates[code & 3, code >> 2]).sum(axis=1)
    last = np.full(cells.leads, np.iinfo(np.int64).max)
    leaves = fate == 3
    np.minimum.at(last, lead[leaves], sent[leaves])
    gets = sent <= last[lead]
    lead, step, sent, fate = lead[gets], step[gets], sent[gets], fate[gets]
    # Opened within forty hours, so within the same step.
    delay = (40 * 3600 * rng.random(len(lead)) ** 3).astype(np.int64) + 30
    opened, clicked, left = np.isin(fate, (1, 2)), fate == 2, fate == 3
    month = np.zeros(len(lead), dtype=np.int64)
    parts = [
        _events(lead, "email_send", month, sent, sent),
        _events(
            lead[opened],
            "email_open",
            month[opened],
            (sent + delay)[opened],
            (sent + delay)[opened],
        ),
        _events(
            lead[clicked],
            "email_click",
            month[clicked],
            (sent + delay + 40)[clicked],
            (sent + delay + 40)[clicked],
        ),
        _events(
            lead[left], "unsubscribe", month[left], (sent + delay)[left], (sent + delay + 5)[left]
        ),
    ]
    kind = (fate + len(PROCESSES) + len(_PAGE_COUNTS)).astype(np.uint8)
    return Events.together(parts), Evidence(lead, step, kind)


def _activities(
    rng: np.random.Generator, clock: Clock, cells: _Cells, rates: Floats
) -> tuple[Events, Evidence]:
    parts, evidence = [], []
    for process, name in enumerate(PROCESSES[1:], start=1):
        lead, step, _ = cells.draw(rng, _by_code(rates[process], web_only=False))
        is_webinar = name.startswith("webinar")
        at = clock.moments(rng, step, days=2 if is_webinar else 5)
        detail = _assets(rng, "webinar_registered" if is_webinar else name, len(lead))
        kind = "webinar_registered" if is_webinar else name
        parts.append(_events(lead, kind, detail, at, _recorded(rng, at, 0.04, 14 * DAY)))
        if name == "webinar_attended":
            # Held two days later at 15:00; attendance is imported by hand within four days.
            held = (at // DAY + 2) * DAY + 15 * 3600
            known = _recorded(rng, held, 0.6, 4 * DAY)
            parts.append(_events(lead, name, detail, held, known))
        evidence.append(Evidence(lead, step, np.full(len(lead), process, np.uint8)))
    return Events.together(parts), Evidence(
        np.concatenate([part.lead for part in evidence]),
        np.concatenate([part.step for part in evidence]),
        np.concatenate([part.kind for part in evidence]),
    )


def _assets(rng: np.random.Generator, kind: str, count: int) -> Ints:
    group = _ASSETS_OF[kind]
    return np.asarray(ASSET_OFFSETS[group] + rng.integers(0, len(ASSETS[group]), count))


def _recorded(rng: np.random.Generator, at: Ints, late_share: float, longest: int) -> Ints:
    late = rng.random(len(at)) < late_share
    delay = (rng.random(len(at)) ** 2 * longest).astype(np.int64) + 3600
    return np.asarray(at + np.where(late, delay, 2), dtype=np.int64)


def _form_fills(rng: np.random.Generator, leads: Leads) -> Events:
    """Each lead's first form: the moment of its creation."""
    return _events(
        np.arange(len(leads)),
        "form_submit",
        _assets(rng, "form_submit", len(leads)),
        leads.created,
        leads.created + 1,
    )


def _raised_hands(rng: np.random.Generator, journeys: Journeys) -> Events:
    """Most deals are opened some hours after a demo request, a trial or an enquiry."""
    deals = journeys.deals
    chosen = np.searchsorted(
        np.cumsum([share for _, share in _HANDS_BEFORE_DEAL]), rng.random(len(deals.lead))
    )
    parts = []
    for place, (kind, _) in enumerate(_HANDS_BEFORE_DEAL):
        rows = np.flatnonzero(chosen == place)
        before = (rng.random(len(rows)) * 20 * 3600).astype(np.int64) + 900
        at = np.maximum(deals.opened[rows] - before, deals.open_step[rows] * STEP)
        parts.append(_events(deals.lead[rows], kind, _assets(rng, kind, len(rows)), at, at + 2))
    return Events.together(parts)
