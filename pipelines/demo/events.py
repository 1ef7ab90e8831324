"""Events, and what they say of the hidden state of whoever caused them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .rhythm import Ints

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
