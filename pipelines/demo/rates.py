"""How often leads do what, by the hidden state of their journey and by their style.

In each step each kind of behaviour happens a Poisson number of times, at the rates of this module.
They are public because `truth` reads a lead's history backwards through them.
"""

import numpy as np

from .rhythm import Floats

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
STUDENT_PAGES = np.array([0.14, 0.56, 0.12, 0.02, 0.06, 0.04, 0.06])
PAGES_PER_VISIT = np.array([0.48, 0.22, 0.13, 0.08, 0.05, 0.04])

# A mail is opened, clicked when open, or answered by an unsubscription, by state.
_OPEN = np.array([0.16, 0.28, 0.40, 0.50, 0.50, 0.30])
_CLICK = np.array([0.06, 0.14, 0.26, 0.34, 0.34, 0.10])
_UNSUBSCRIBE = np.array([0.022, 0.010, 0.004, 0.002, 0.002, 0.006])
_OPEN_FACTORS = (0.4, 1.0, 1.35, 1.1)


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
