"""The card in words, in the language of the project."""

import math
from collections.abc import Sequence
from datetime import datetime

import numpy as np

from leadlight.features.wording import Wording
from leadlight.features.wording.event_texts import event_text
from leadlight.models.certainty import Certainty
from leadlight.models.reasons import rounded_together
from leadlight.models.score_change import ScoreChange
from leadlight.models.what_lifts import Outlook, WhatLifts

from .lifts import DAYS

THIN = 3
"""Activities below which a history is thin."""


def sure_sentences(
    wording: Wording,
    certainty: Certainty | None,
    activities: int | None,
    *,
    calibrated: bool = True,
) -> tuple[str, ...]:
    """Say how sure a score is, and whether the lead's history is thin.

    Parameters
    ----------
    wording : Wording
    certainty : Certainty or None
    activities : int or None
        Of the lead so far; None where the project has no events.
    calibrated : bool
        False for a rules-only start, whose probabilities only put leads in order.
    """
    if not calibrated:
        told = [wording.say("definition.uncalibrated")]
    elif certainty is None:
        told = [wording.say("card.sure_unknown")]
    else:
        ends = {"low": wording.chance(certainty.low), "high": wording.chance(certainty.high)}
        told = [wording.say("card.sure", certainty.rows, **ends)]
    if activities is not None and activities < THIN:
        told.append(wording.say("card.thin", activities))
    return tuple(told)


def change_sentences(wording: Wording, change: ScoreChange, since: datetime) -> tuple[str, ...]:
    """Say what changed since an earlier run, in whole points that add up."""
    causes = ("events", "ageing", "profile", "model")
    before, after = (math.floor(each + 0.5) for each in (change.before, change.after))
    exact = np.array([getattr(change, cause) for cause in causes])
    parts = rounded_together(exact, total=after - before)
    told = [
        wording.say(
            "card.change",
            date=wording.day(since),
            before=wording.figure(before),
            after=wording.figure(after),
        )
    ]
    told += [
        wording.say(f"card.{cause}", points=f"{part:+d}")
        for cause, part in zip(causes, parts.tolist(), strict=True)
        if part
    ]
    old, new = (
        math.floor(each + 0.5) for each in (change.threshold_before, change.threshold_after)
    )
    if old != new:
        told.append(
            wording.say(
                "card.threshold_moved",
                least=wording.figure(new),
                before=wording.figure(old),
                points=f"{old - new:+d}",
            )
        )
    else:
        told.append(wording.say("card.threshold_same"))
    return tuple(told)


def lift_sentences(
    wording: Wording, found: WhatLifts | None, *, is_mql: bool, below_fit_floor: bool, least: float
) -> tuple[str, ...]:
    """Say what would make a lead an MQL, or honestly that nothing short would.

    Parameters
    ----------
    wording : Wording
    found : WhatLifts or None
    is_mql : bool
        Nothing is left to lift.
    below_fit_floor : bool
        No act helps.
    least : float
        Points that an MQL needs.
    """
    if is_mql:
        return (wording.say("card.is_mql"),)
    if below_fit_floor:
        return (wording.say("card.fit_floor"),)
    if found is None:
        return (wording.say("card.no_acts"),)
    if found.waiting.mql:
        return (wording.say("card.waits", DAYS),)
    told = [
        wording.say(
            "card.way",
            DAYS,
            steps=_steps(wording, way),
            points=_points(wording, way),
            share=wording.chance(way.probability),
        )
        for way in found.ways
    ]
    if not told:
        told.append(
            wording.say(
                "card.nothing",
                found.steps_tried,
                steps=_steps(wording, found.closest),
                points=_points(wording, found.closest),
                least=wording.figure(math.ceil(least)),
            )
        )
    told.append(wording.say("card.waiting", DAYS, points=_points(wording, found.waiting)))
    return (*told, wording.say("card.hand_raise"))


def event_sentence(wording: Wording, kinds: Sequence[tuple[str, int]]) -> str:
    """Say what a lead did on a day: kinds of event and how often."""
    return ", ".join(
        wording.say("card.step", n, act=event_text(wording, kind, "act")) for kind, n in kinds
    )


def _steps(wording: Wording, outlook: Outlook) -> str:
    return event_sentence(wording, outlook.plan) or wording.say("card.no_act")


def _points(wording: Wording, outlook: Outlook) -> str:
    return wording.figure(math.floor(outlook.points + 0.5))
