"""What would lift a lead: the smallest things it could do that would make it an MQL."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Action:
    """Something that a lead can do.

    Attributes
    ----------
    kind : str
        Kind of event.
    most : int
        More of it within the time looked at would not be realistic.
    """

    kind: str
    most: int


Plan = tuple[int, ...]
"""How often each action is taken, in the order of the actions."""


@dataclass(frozen=True, eq=False)
class Judgement:
    """What plans would come to.

    Attributes
    ----------
    points : array of shape (n,)
        The score of 100.
    probability : array of shape (n,)
        Calibrated.
    mql : array of bool, shape (n,)
        By threshold and floors.
    """

    points: NDArray[np.float64]
    probability: NDArray[np.float64]
    mql: NDArray[np.bool_]


@dataclass(frozen=True)
class Outlook:
    """What one plan would come to.

    Attributes
    ----------
    plan : tuple of (str, int)
        Kinds of event and how often, without those not taken.
    points, probability : float
    mql : bool
    """

    plan: tuple[tuple[str, int], ...]
    points: float
    probability: float
    mql: bool


@dataclass(frozen=True)
class WhatLifts:
    """The answer to "what would it take?".

    Attributes
    ----------
    waiting : Outlook
        If the lead does nothing in that time.
    ways : tuple of Outlook
        Each makes the lead an MQL, the smallest first; none holds another one whole. Empty where
        nothing within reach would, or where waiting does.
    closest : Outlook
        The highest score that was found within reach.
    steps_tried : int
        Plans of up to so many actions were looked at.
    """

    waiting: Outlook
    ways: tuple[Outlook, ...]
    closest: Outlook
    steps_tried: int


def what_lifts(
    actions: Sequence[Action],
    judge: Callable[[Sequence[Plan]], Judgement],
    *,
    wanted: int = 3,
    most_steps: int = 6,
    beam: int = 12,
) -> WhatLifts:
    """Search the smallest plans that make a lead an MQL.

    All plans of one and of two actions are judged; longer ones grow, action by action, out of the
    best so far (beam search), so that a way of three actions or more may have a shorter rival
    among those that began badly. A plan is judged by what it comes to, features and all: nothing
    is assumed of the model.

    Parameters
    ----------
    actions : sequence of Action
        Only what a lead can do; not its age, country or company.
    judge : callable
        Scores leads who carried out plans, as they would be scored.
    wanted : int
        Ways after which the search ends.
    most_steps : int
        Actions in a plan.
    beam : int
        Plans that grow on, from the third action on.
    """
    nothing: Plan = (0,) * len(actions)
    (waiting,) = _outlooks([nothing], actions, judge([nothing]))
    if waiting.mql:
        return WhatLifts(waiting, (), waiting, 0)
    ways: list[Plan] = []
    told: list[Outlook] = []
    best, frontier = waiting, [nothing]
    steps = 0
    while steps < most_steps and len(ways) < wanted and frontier:
        plans = [plan for plan in _longer(frontier, actions) if not _holds_any(plan, ways)]
        if not plans:
            break
        steps += 1
        judgement = judge(plans)
        outlooks = _outlooks(plans, actions, judgement)
        order = np.argsort(-judgement.points, kind="stable").tolist()
        best = max(best, outlooks[order[0]], key=lambda each: each.points)
        found = [at for at in order if outlooks[at].mql][: wanted - len(ways)]
        ways += [plans[at] for at in found]
        told += [outlooks[at] for at in found]
        left = [plans[at] for at in order if not outlooks[at].mql]
        frontier = left if steps == 1 else left[:beam]
    return WhatLifts(waiting, tuple(told), best, steps)


def _longer(frontier: Sequence[Plan], actions: Sequence[Action]) -> list[Plan]:
    """Return every plan of one more action, each once, in a fixed order."""
    found: dict[Plan, None] = {}
    for plan in frontier:
        for at, action in enumerate(actions):
            if plan[at] < action.most:
                found[(*plan[:at], plan[at] + 1, *plan[at + 1 :])] = None
    return list(found)


def _holds_any(plan: Plan, ways: Sequence[Plan]) -> bool:
    return any(all(a >= b for a, b in zip(plan, way, strict=True)) for way in ways)


def _outlooks(
    plans: Sequence[Plan], actions: Sequence[Action], judgement: Judgement
) -> list[Outlook]:
    return [
        Outlook(
            tuple((action.kind, n) for action, n in zip(actions, plan, strict=True) if n),
            float(judgement.points[at]),
            float(judgement.probability[at]),
            bool(judgement.mql[at]),
        )
        for at, plan in enumerate(plans)
    ]
