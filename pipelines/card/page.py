"""The card as one self-contained page: no script, no network, everything escaped."""

from itertools import accumulate
from typing import Any

from markupsafe import Markup

from leadlight.pipelines.report.chart import chart_spec, render_svg
from leadlight.pipelines.report.formats import plain
from leadlight.pipelines.report.page import render

from .lead_card import Card
from .standing import Standing
from .words import event_sentence

_REASONS_DRAWN, _DAYS_TOLD = 10, 30
_LABEL, _TEXT = 60, 300


def card_html(card: Card) -> str:
    """Return the card as an HTML page.

    Parameters
    ----------
    card : Card

    Returns
    -------
    str
        Equal cards give equal pages, byte for byte.
    """
    wording, score = card.wording, card.score
    say = wording.say
    as_of = score["as_of"]
    head = [
        say("card.mql" if score["mql"] else "card.not_mql"),
        say("card.grade", grade=str(score["grade"])),
        say("card.chance", share=wording.chance(score["probability"])),
    ]
    standing = card.standing
    charts = {}
    if standing is not None:
        charts["waterfall"] = _drawn(_waterfall(card, standing), say("card.why"))
    if card.runs:
        charts["timeline"] = _drawn(_timeline(card), say("card.timeline"))
    return render(
        "lead_card.html",
        language=wording.language,
        title=plain(say("card.title", lead=str(score["lead_id"])), _TEXT),
        as_of=say("card.as_of", date=wording.day(as_of)) if as_of else None,
        head=head,
        sentences=[plain(each, _TEXT) for each in sentences(card)],
        sections=[
            (say(f"card.{name}"), [plain(each, _TEXT) for each in told])
            for name, told in (("changed", card.changed), ("lifts", card.lifts))
            if told
        ],
        reasons=[
            (plain(each.sentence, _TEXT), f"{each.part.points:+d}") for each in told_reasons(card)
        ],
        days=[
            (day.isoformat(), plain(event_sentence(wording, kinds), _TEXT))
            for day, kinds in reversed(card.days[-_DAYS_TOLD:])
        ],
        states=[plain(each, _TEXT) for each in state_sentences(card)],
        charts=charts,
        text={
            name: say(f"card.{name}")
            for name in ("why", "timeline", "reason", "points_head", "date", "happened", "footer")
        },
        definition=plain(card.definition, _TEXT),
    )


def told_reasons(card: Card) -> list[Any]:
    """Return the reasons that come to a point at least."""
    return [each for each in (card.standing.reasons if card.standing else ()) if each.part.points]


def state_sentences(card: Card) -> list[str]:
    """Say how the lead came to its state, the newest move first."""
    wording = card.wording
    return [
        wording.say(
            "move.told",
            date=wording.day(each["as_of"]),
            before=wording.say(f"state.{each['from_state']}"),
            after=wording.say(f"state.{each['to_state']}"),
            why=each["why"],
        )
        for each in reversed(card.history)
    ]


def sentences(card: Card) -> list[str]:
    """Say where a lead stands, and how sure that is."""
    wording, standing = card.wording, card.standing
    told = []
    if standing is not None:
        values = {
            "points": wording.figure(standing.points),
            "least": wording.figure(standing.least),
            "average": wording.figure(standing.average),
        }
        told.append(wording.say("card.points", **values))
    told += [
        wording.say(f"card.{family}", share=wording.percent(int(percentile * 100) / 100))
        for family in ("fit", "engagement")
        if (percentile := card.score[f"{family}_percentile"]) is not None
        and percentile == percentile  # noqa: PLR0124 - NaN
    ]
    told += card.sure
    if card.reasons_are == "shapley_values":
        told.append(wording.say("card.shapley"))
    return told


def _drawn(spec: dict[str, Any], description: str) -> Markup:
    # render_svg lets through shapes and escaped text only.
    return Markup(render_svg(spec, description))  # noqa: S704


def _waterfall(card: Card, standing: Standing) -> dict[str, Any]:
    told = told_reasons(card)
    shown, rest = told[:_REASONS_DRAWN], told[_REASONS_DRAWN:]
    steps = [(each.sentence, each.part.points) for each in shown]
    if rest:
        others = card.wording.say("card.others", len(rest))
        steps.append((others, sum(each.part.points for each in rest)))
    heights = list(accumulate((points for _, points in steps), initial=standing.average))
    records: list[dict[str, object]] = [
        {
            "rank": at,
            "from": heights[at - 1],
            "to": heights[at],
            "label": f"{points:+d}  {plain(label, _LABEL)}",
            "kind": "for" if points > 0 else "against",
        }
        for at, (label, points) in enumerate(steps, start=1)
    ]
    # Both ends are ticks: a bar from an arbitrary zero would lie about its length.
    for rank, points, name in (
        (0, standing.average, "average"),
        (len(steps) + 1, standing.points, "total"),
    ):
        label = f"{points}  {card.wording.say(f'card.{name}')}"
        ends = {"from": points - 0.6, "to": points + 0.6}
        records.append({"rank": rank, "label": label, "kind": "total", **ends})
    return chart_spec("waterfall", {"steps": records, "least": [{"points": standing.least}]})


def _timeline(card: Card) -> dict[str, Any]:
    runs = [
        {
            "at": run.as_of.isoformat(),
            "probability": run.probability,
            "least": card.thresholds.get(run.decision_version),
        }
        for run in card.runs
    ]
    days = [
        {"at": f"{day.isoformat()}T00:00:00+00:00", "events": sum(n for _, n in kinds)}
        for day, kinds in card.days
    ]
    return chart_spec("timeline", {"runs": runs, "days": days})
