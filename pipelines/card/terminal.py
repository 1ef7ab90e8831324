"""The card on a terminal; whatever came from data is text, never a command to the terminal."""

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.text import Text

from leadlight.features.wording.texts import sentence_case
from leadlight.pipelines.report.formats import plain

from .lead_card import Card
from .page import sentences, state_sentences, told_reasons

_REASONS_TOLD = 10


def lead_card(card: Card) -> RenderableType:
    """Show one lead: the score, what it means, why, what changed, and what would lift it.

    Parameters
    ----------
    card : Card
    """
    wording, score = card.wording, card.score
    head = Text()
    name = "card.mql" if score["mql"] else "card.not_mql"
    head.append(wording.say(name), "bold green" if score["mql"] else "bold")
    head.append(f"   {wording.say('card.grade', grade=str(score['grade']))}")
    head.append(f"   {wording.say('card.chance', share=wording.chance(score['probability']))}")
    # Rounded down: nobody is hotter than all leads.
    hotter = wording.percent(int(score["percentile"] * 100) / 100)
    head.append(f"   {wording.say('card.hotter', share=hotter)}")
    parts: list[RenderableType] = [head, *_lines(sentences(card)), Text(), _reasons(card)]
    for name, told in (("changed", card.changed), ("lifts", card.lifts)):
        if told:
            parts += [Text(), Text(wording.say(f"card.{name}"), "bold"), *_lines(told)]
    if score.get("state"):
        state = sentence_case(wording.say(f"state.{score['state']}"))
        since = wording.say("move.since", state=state, date=wording.day(score["state_since"]))
        parts += [Text(), Text(since, "bold"), *_lines(state_sentences(card))]
    parts += [Text(), Text(plain(card.definition), "dim")]
    title = wording.say("card.title", lead=plain(score["lead_id"], 80))
    as_of = score["as_of"]
    if as_of:
        title += f", {wording.say('card.as_of', date=f'{as_of:%Y-%m-%d %H:%M} UTC')}"
    return Panel(Group(*parts), title=Text(title), title_align="left", expand=False)


def _lines(told: list[str] | tuple[str, ...]) -> list[Text]:
    return [Text(plain(each)) for each in told]


def _reasons(card: Card) -> Text:
    """List the strongest reasons with their points; of a lead without any, those of the run."""
    told = [(each.part.points, each.sentence) for each in told_reasons(card)[:_REASONS_TOLD]]
    if card.standing is None:
        told = [(1, each) for each in card.score["reasons_for"]]
        told += [(-1, each) for each in card.score["reasons_against"]]
    text = Text()
    for points, reason in told:
        if text:
            text.append("\n")
        mark = f"{points:+4d} " if card.standing else ("+ " if points > 0 else "- ")
        text.append(mark, "green" if points > 0 else "red")
        text.append(plain(reason))
    return text
