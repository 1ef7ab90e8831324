"""What a kind of event means on the way from interest to a sale."""

from types import MappingProxyType
from typing import Literal

from .vocabulary import page_of, same_kind

EmailRole = Literal["send", "open", "click", "unsubscribe"]

# From "reads about the subject" to "asks to be sold to".
CONTENT, PRODUCT, PRICING, HAND_RAISE = 1, 2, 3, 4

_PAGES = MappingProxyType(
    {
        "blog": CONTENT,
        "docs": CONTENT,
        "product": PRODUCT,
        "case_study": PRODUCT,
        "pricing": PRICING,
        "demo": PRICING,
        "contact": PRICING,
    }
)
_EVENTS = MappingProxyType(
    {
        "download": CONTENT,
        "subscribe": CONTENT,
        "webinar_registered": CONTENT,
        "webinar_attended": CONTENT,
        "event_attended": CONTENT,
        "video_view": CONTENT,
        "demo_request": HAND_RAISE,
        "trial_start": HAND_RAISE,
        "contact_sales": HAND_RAISE,
        "pricing_request": HAND_RAISE,
    }
)
_EMAIL: MappingProxyType[str, EmailRole] = MappingProxyType(
    {
        "email_send": "send",
        "email_open": "open",
        "email_click": "click",
        "unsubscribe": "unsubscribe",
    }
)
_SALES_TOUCHES = frozenset({"call", "meeting", "sales_email"})
_OPT_OUTS = frozenset({"unsubscribe", "spam_complaint"})
_MAIL_THAT_CAME = frozenset({"email_send", "email_bounce"})


def funnel_stage(kind: str) -> int:
    """Return how deep in the funnel a kind of event lies: 1 content to 4 hand-raise, 0 nowhere.

    A look at the demo or contact page shows the interest that a look at the prices shows; only the
    request itself raises the hand.

    Examples
    --------
    >>> [funnel_stage(kind) for kind in ("page_view_pricing", "demo_requested", "email_open")]
    [3, 4, 0]
    """
    page = page_of(kind)
    return _PAGES.get(page, 0) if page is not None else _EVENTS.get(same_kind(kind), 0)


def email_role(kind: str) -> EmailRole | None:
    """Return what a kind of event says of an e-mail that was sent; None for any other event."""
    return _EMAIL.get(same_kind(kind))


def is_sales_touch(kind: str) -> bool:
    """Say whether events of this kind are contacts by or with a salesperson."""
    return same_kind(kind) in _SALES_TOUCHES


def is_opt_out(kind: str) -> bool:
    """Say whether a lead that does this does not want to be written to any more."""
    return same_kind(kind) in _OPT_OUTS


def is_opt_in(kind: str) -> bool:
    """Say whether a lead that does this wants to hear more, whatever it wanted before."""
    return same_kind(kind) == "subscribe" or funnel_stage(kind) == HAND_RAISE


def is_own_act(kind: str) -> bool:
    """Say whether the lead itself did something that shows interest.

    Mail that was sent to it, a call by sales and a farewell are none.

    Examples
    --------
    >>> [is_own_act(kind) for kind in ("email_open", "email_sent", "unsubscribed", "call")]
    [True, False, False, False]
    """
    return not (same_kind(kind) in _MAIL_THAT_CAME or is_opt_out(kind) or is_sales_touch(kind))
