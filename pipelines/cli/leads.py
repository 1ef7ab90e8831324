"""Commands about single leads."""

from pathlib import Path
from typing import Annotated

import typer

from leadlight.pipelines.progress import Progress

from .console import DEFAULT_CONFIG, OUT, ConfigOption, JsonOption, app, load, print_json, say


@app.command()
def explain(
    lead_id: Annotated[str, typer.Argument(help="The lead's id in the CRM.")],
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
    html: Annotated[
        Path | None, typer.Option("--html", help="Write the card as one HTML page.")
    ] = None,
) -> None:
    """Say why a lead is, or is not, an MQL, what changed, and what would lift it.

    Example: leadlight explain 4711 --html card.html
    """
    from leadlight.pipelines.card.page import card_html  # noqa: PLC0415
    from leadlight.pipelines.card.terminal import lead_card  # noqa: PLC0415
    from leadlight.pipelines.explain import explain as explain_lead  # noqa: PLC0415
    from leadlight.pipelines.workspace import write_text  # noqa: PLC0415

    card = explain_lead(load(config), lead_id)
    if html is not None:
        write_text(html, card_html(card))
    if as_json:
        print_json(card.to_dict())
    elif html is not None:
        say(str(html.resolve()))
    else:
        OUT.print(lead_card(card))


@app.command()
def forget(
    lead_ids: Annotated[list[str], typer.Argument(help="Ids of the leads in the CRM.")],
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Erase leads from every artefact of the workspace, and keep sources from bringing them back.

    Example: leadlight forget 4711
    """
    from leadlight.pipelines.forget import forget as forget_leads  # noqa: PLC0415

    done = forget_leads(load(config), Progress(quiet=as_json), lead_ids)
    if as_json:
        print_json(done.to_dict())
        return
    say(f"Erased {', '.join(done.lead_ids)}: {done.rows:,} rows.")
    for path in done.removed:
        say(f"Removed: {path}")
    for note in done.notes:
        say(note)
