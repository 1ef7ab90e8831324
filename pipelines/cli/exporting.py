"""The command that takes the model out of the house."""

from pathlib import Path
from typing import Annotated

import typer

from leadlight.features.errors import ConfigError

from .console import DEFAULT_CONFIG, ConfigOption, JsonOption, app, load, print_json, say


@app.command()
def export(
    card: Annotated[
        Path, typer.Option(help="Write a points card: a file that ends with .md or .csv.")
    ],
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Distil the champion into a points card that a marketing tool, or a person, can add up.

    Example: leadlight export --card card.md
    """
    from leadlight.pipelines.export.card import card_as_csv, card_as_markdown  # noqa: PLC0415
    from leadlight.pipelines.points_card import champion_card  # noqa: PLC0415
    from leadlight.pipelines.registry import registry_of  # noqa: PLC0415
    from leadlight.pipelines.workspace import write_text  # noqa: PLC0415

    if card.suffix not in {".md", ".csv"}:
        raise ConfigError(
            f"--card: {card} is neither Markdown nor CSV", hint="End its name with .md or .csv."
        )
    project = load(config)
    distilled = champion_card(project)
    definition = registry_of(project).champion().decision.definition_in_words()
    as_csv = card.suffix == ".csv"
    write_text(card, card_as_csv(distilled) if as_csv else card_as_markdown(distilled, definition))
    if as_json:
        print_json(distilled.to_dict())
        return
    loss = distilled.loss
    say(f"Wrote {card}: {len(distilled.signals)} signals, an MQL from {distilled.cut_off} points.")
    say(
        f"On {loss.leads:,} held-out leads its AUC is {loss.card_auc:.3f}, the model's "
        f"{loss.model_auc:.3f}; they agree on {loss.agreement:.1%} of leads."
    )
