"""Actions: what a lead can do of its own accord, and what has to come before it."""

from collections.abc import Mapping
from types import MappingProxyType

from .funnel import HAND_RAISE, funnel_stage, is_sales_touch
from .vocabulary import direction_of, page_of, same_kind

# Nobody clicks in an e-mail that was not sent, and opened.
_BEFORE: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "email_open": ("email_send",),
        "email_click": ("email_send", "email_open"),
        "email_reply": ("email_send", "email_open"),
        "webinar_attended": ("webinar_registered",),
    }
)


def is_action(kind: str) -> bool:
    """Say whether a lead can do this of its own accord, and it speaks for interest.

    A request for a demo, a trial, a price or a call is none: it goes to sales at once, whatever the
    score. Nor is what others do to the lead (an e-mail sent, a call), or a visit to no page that
    could be named.

    Examples
    --------
    >>> [is_action(kind) for kind in ("page_view_pricing", "email_sent", "demo_request", "call")]
    [True, False, False, False]
    """
    return (
        direction_of(kind) > 0
        and funnel_stage(kind) < HAND_RAISE
        and not is_sales_touch(kind)
        and page_of(kind) != "other"
    )


def what_comes_before(kind: str) -> tuple[str, ...]:
    """Return the kinds of event without which this one cannot be, in their order.

    Examples
    --------
    >>> what_comes_before("email_clicked")
    ('email_send', 'email_open')
    """
    return _BEFORE.get(same_kind(kind), ())


def needs_mail(kind: str) -> bool:
    """Say whether a lead can do this only if it is written to."""
    return "email_send" in what_comes_before(kind)
