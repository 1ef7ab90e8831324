"""The words for one kind of event: the catalog's, a page's, the user's own, or its name's."""

from leadlight.features.vocabulary import page_of, same_kind, spaced

from .texts import Wording


def event_text(
    wording: Wording, kind: str, name: str, count: float | None = None, *, window: str = ""
) -> str:
    """Return one of the texts of a kind of event.

    Parameters
    ----------
    wording : Wording
    kind : str
        ``email_open``, ``page_view_pricing``, any other.
    name : str
        ``count`` (needs ``count``), ``none``, ``never``, ``act``, ``last`` or ``label``.
    count : float, optional
    window : str
        "in the last 7 days", for ``count`` and ``none``.

    Examples
    --------
    >>> event_text(Wording(), "email_opened", "never")
    'Never opened an e-mail'
    >>> event_text(Wording(), "page_view_partner_program", "never")
    'Never visited the partner program pages'
    >>> event_text(Wording("de"), "O_SENT_BACK", "act")
    'Ereignis „o sent back“'
    """
    own, page = wording.own_labels.get(kind), page_of(kind)
    known = f"event.{same_kind(kind)}.{name}"
    if own is None and wording.has(known):
        return wording.say(known, count, window=window)
    if page is not None:
        named = own or _page(wording, page)
        return wording.say(f"page_event.{name}", count, page=named, window=window)
    named = own or spaced(kind).lower()
    return wording.say(f"unknown_event.{name}", count, kind=named, window=window)


def window_text(wording: Wording, days: int | None) -> str:
    """Return "in the last 7 days", or "so far" for all time."""
    return wording.say("window.all") if days is None else wording.say("window.days", days)


def _page(wording: Wording, page: str) -> str:
    if wording.has(f"page.{page}"):
        return wording.say(f"page.{page}")
    return wording.say("unknown_page", kind=spaced(page).lower())
