"""Commands about single leads."""

from typing import Annotated

import typer

from .console import DEFAULT_CONFIG, OUT, ConfigOption, JsonOption, app, load, print_json


@app.command()
def explain(
    lead_id: Annotated[str, typer.Argument(help="The lead's id in the CRM.")],
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Say why a lead is, or is not, an MQL: its newest score as a card.

    Example: leadlight explain 4711
    """
    from leadlight.pipelines.explain import explain as explain_lead  # noqa: PLC0415
    from leadlight.pipelines.terminal import lead_card  # noqa: PLC0415

    card = explain_lead(load(config), lead_id)
    if as_json:
        print_json(card.to_dict())
    else:
        OUT.print(lead_card(card.score, definition=card.definition))
