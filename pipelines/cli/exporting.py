"""The command that takes the model out of the house."""

from pathlib import Path
from typing import Annotated, Any

import typer

from leadlight.features.errors import ConfigError, did_you_mean

from .console import DEFAULT_CONFIG, ConfigOption, app, load, print_json, say


@app.command()
def export(
    card: Annotated[
        Path | None,
        typer.Option(help="Write a points card: a file that ends with .md or .csv."),
    ] = None,
    sql: Annotated[
        bool, typer.Option("--sql", help="Print the model as one SQL query over its features.")
    ] = False,
    dialect: Annotated[
        str,
        typer.Option(help="With --sql: duckdb, postgres, spark, bigquery, snowflake or trino."),
    ] = "duckdb",
    table: Annotated[
        str, typer.Option(help="With --sql: the feature table, as the database names it.")
    ] = "lead_features",
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: Annotated[
        bool,
        typer.Option(
            "--json",
            help="Print JSON for a machine; without --card and --sql, the whole model as a "
            "document that another language can score by.",
        ),
    ] = False,
) -> None:
    """Take the champion to other tools: as a points card, as SQL, or as a JSON document.

    Example: leadlight export --sql --dialect postgres --table analytics.lead_features > score.sql
    """
    if card is not None and sql:
        raise ConfigError("--card and --sql are two exports.", hint="Ask for one at a time.")
    if card is not None:
        _export_card(card, config, as_json)
    elif sql:
        _export_sql(dialect, table, config, as_json)
    elif as_json:
        from leadlight.pipelines.export.document import model_document  # noqa: PLC0415

        print_json(model_document(_champion(config)))
    else:
        raise ConfigError("Nothing to export.", hint="leadlight export --card card.md")


def _export_sql(dialect: str, table: str, config: Path, as_json: bool) -> None:
    from leadlight.pipelines.export.sql_query import (  # noqa: PLC0415
        DIALECTS,
        EXECUTED,
        scoring_query,
    )

    known = {name: name for name in DIALECTS}
    if dialect not in known:
        raise ConfigError(
            f"--dialect: '{dialect}' is not known.{did_you_mean(dialect, DIALECTS)}",
            hint=f"One of {', '.join(DIALECTS)}.",
        )
    query = scoring_query(_champion(config), table=table, dialect=known[dialect])
    if as_json:
        print_json({"dialect": dialect, "executed_in_tests": dialect in EXECUTED, "sql": query})
    else:
        print(query, end="")


def _champion(config: Path) -> Any:
    from leadlight.pipelines.registry import registry_of  # noqa: PLC0415

    return registry_of(load(config)).champion().decision


def _export_card(card: Path, config: Path, as_json: bool) -> None:
    from leadlight.pipelines.export.card import card_as_csv, card_as_markdown  # noqa: PLC0415
    from leadlight.pipelines.points_card import champion_card  # noqa: PLC0415
    from leadlight.pipelines.workspace import write_text  # noqa: PLC0415

    if card.suffix not in {".md", ".csv"}:
        raise ConfigError(
            f"--card: {card} is neither Markdown nor CSV", hint="End its name with .md or .csv."
        )
    distilled = champion_card(load(config))
    definition = _champion(config).definition_in_words()
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
