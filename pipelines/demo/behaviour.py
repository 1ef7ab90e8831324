"""What leads do: visits and their pages, mails and their fate, and activities.

In each step each kind of behaviour happens a Poisson number of times, at a rate that depends on
the hidden state of the lead's journey and on its style (silent, usual, loud; student). The rates
are public here because `truth` reads a lead's history backwards through them.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .journey import CUSTOMER, NOBODY, Journeys
from .people import Leads
from .rhythm import DAY, STEP, Clock, Floats, Ints
from .vocabulary import ASSETS, PAGES, TRACKING

KINDS = (
    "page_view",
    "email_send",
    "email_open",
    "email_click",
    "unsubscribe",
    "download",
    "webinar_registered",
    "webinar_attended",
    "video_watched",
    "demo_request",
    "trial_started",
    "form_submit",
)
KIND = {kind: code for code, kind in enumerate(KINDS)}
_PLAYED_STATES = CUSTOMER + 1

# Rates per step, by state: cold, aware, interested, evaluating, in deal, customer.
_RATES = {
    "visit": (0.010, 0.058, 0.22, 0.50, 0.40, 0.10),
    "download": (0.0020, 0.015, 0.050, 0.050, 0.02, 0.004),
    "webinar_missed": (0.0012, 0.007, 0.014, 0.008, 0.004, 0.003),
    "webinar_attended": (0.0006, 0.004, 0.020, 0.024, 0.010, 0.004),
    "video_watched": (0.0010, 0.006, 0.022, 0.035, 0.015, 0.008),
    "demo_request": (0.0001, 0.0006, 0.004, 0.070, 0.010, 0.0),
    "trial_started": (0.0001, 0.0005, 0.003, 0.050, 0.015, 0.0),
    "form_submit": (0.0004, 0.0025, 0.006, 0.020, 0.010, 0.002),
}
PROCESSES = tuple(_RATES)
_STYLE_FACTORS = (0.15, 0.9, 1.9)
_STUDENT_FACTORS = {
    "visit": 1.3,
    "download": 6.0,
    "webinar_missed": 2.5,
    "webinar_attended": 3.0,
    "video_watched": 2.0,
    "demo_request": 0.3,
    "trial_started": 0.8,
    "form_submit": 1.0,
}
SEND_RATE = 0.042

# Pages of a visit by kind of page (columns as PAGES) and state.
PAGE_SHARES = np.array(
    [
        [0.26, 0.40, 0.12, 0.02, 0.03, 0.03, 0.14],
        [0.20, 0.44, 0.19, 0.04, 0.06, 0.04, 0.03],
        [0.13, 0.26, 0.32, 0.11, 0.12, 0.04, 0.02],
        [0.09, 0.12, 0.31, 0.24, 0.14, 0.09, 0.01],
        [0.08, 0.06, 0.26, 0.28, 0.16, 0.15, 0.01],
        [0.16, 0.08, 0.12, 0.03, 0.02, 0.58, 0.01],
    ]
)
_STUDENT_PAGES = np.array([0.14, 0.56, 0.12, 0.02, 0.06, 0.04, 0.06])
_PAGES_PER_VISIT = np.array([0.48, 0.22, 0.13, 0.08, 0.05, 0.04])

# A mail is opened, clicked when open, or answered by an unsubscription, by state.
_OPEN = np.array([0.16, 0.28, 0.40, 0.50, 0.50, 0.30])
_CLICK = np.array([0.06, 0.14, 0.26, 0.34, 0.34, 0.10])
_UNSUBSCRIBE = np.array([0.022, 0.010, 0.004, 0.002, 0.002, 0.006])
_OPEN_FACTORS = (0.4, 1.0, 1.35, 1.1)

# Besides, opening a deal is preceded by a raised hand that often.
_HANDS_BEFORE_DEAL = (("demo_request", 0.40), ("trial_started", 0.15), ("form_submit", 0.20))


def process_rates() -> Floats:
    """Return the rates per step, (processes, 4 styles, 6 states)."""
    rates = np.array([_RATES[name] for name in PROCESSES])
    student = np.array([_STUDENT_FACTORS[name] for name in PROCESSES])
    factors = np.column_stack([np.tile(_STYLE_FACTORS, (len(PROCESSES), 1)), student])
    return np.asarray(rates[:, None, :] * factors[:, :, None])


def mail_fates() -> Floats:
    """Return the chances that a mail is ignored, opened, clicked or the last: (4, 6, 4)."""
    opened = np.array(_OPEN_FACTORS)[:, None] * _OPEN
    clicked = np.broadcast_to(_CLICK, opened.shape)
    last = np.broadcast_to(_UNSUBSCRIBE, opened.shape)
    stays = 1 - last
    return np.stack(
        [stays * (1 - opened), stays * opened * (1 - clicked), stays * opened * clicked, last],
        axis=-1,
    )


@dataclass(frozen=True)
class Evidence:
    """What a history says of the hidden state: one entry for each thing that happened.

    Attributes
    ----------
    lead, step : arrays of int64
    kind : array of uint8
        A process of ``PROCESSES``, then a kind of page, then a fate of a mail.
    """

    lead: Ints
    step: Ints
    kind: NDArray[np.uint8]


@dataclass(frozen=True)
class Events:
    """Events; arrays of one entry each.

    Attributes
    ----------
    lead : array of int32
        Index of the lead.
    kind : array of uint8
        Index into ``KINDS``.
    detail : array of int16
        Index into the vocabulary's pages (page views), assets (activities) or fates (mails).
    at, known : arrays of int64
        When it happened and when it was recorded, in seconds since the world's beginning.
    """

    lead: NDArray[np.int32]
    kind: NDArray[np.uint8]
    detail: NDArray[np.int16]
    at: Ints
    known: Ints

    def __len__(self) -> int:
        return len(self.at)

    def only(self, rows: NDArray[np.generic]) -> "Events":
        """Return the events of some rows (a mask, or indices in a new order)."""
        return Events(
            self.lead[rows], self.kind[rows], self.detail[rows], self.at[rows], self.known[rows]
        )

    @staticmethod
    def together(parts: "list[Events]", offsets: list[int] | None = None) -> "Events":
        """Join parts into one, adding an offset to the leads of each."""
        first = offsets or [0] * len(parts)
        return Events(
            np.concatenate([p.lead + np.int32(o) for p, o in zip(parts, first, strict=True)]),
            np.concatenate([part.kind for part in parts]),
            np.concatenate([part.detail for part in parts]),
            np.concatenate([part.at for part in parts]),
            np.concatenate([part.known for part in parts]),
        )


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
    bounds = np.cumsum(_PAGES_PER_VISIT)
    pages = 1 + np.searchsorted(bounds[:-1], rng.random(len(lead)))
    visit = np.repeat(np.arange(len(lead)), pages)
    order = np.arange(len(visit)) - np.repeat(np.cumsum(pages) - pages, pages)
    shares = np.empty((8, 4, len(_PAGE_COUNTS)))
    shares[:_PLAYED_STATES] = PAGE_SHARES[:, None, :]
    shares[:, 3] = _STUDENT_PAGES
    shares[NOBODY:] = _STUDENT_PAGES
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
