"""The decision version as one SQL query over the feature table."""

from typing import Literal, get_args

from sqlglot import exp
from sqlglot.errors import ParseError, TokenError

from leadlight.features.errors import ConfigError
from leadlight.models.decision import DecisionVersion

from .limits import refuse_unlimited_trees
from .sql_steps import Columns, Step, answer, model_steps, reason_steps, score_steps
from .sql_values import column, probability

Dialect = Literal["duckdb", "postgres", "spark", "bigquery", "snowflake", "trino"]
DIALECTS: tuple[Dialect, ...] = get_args(Dialect)
EXECUTED = frozenset({"duckdb", "postgres", "spark"})
"""Dialects in which leadlight's own tests execute the query; the others are only parsed back."""


def scoring_query(decision: DecisionVersion, *, table: str, dialect: Dialect) -> str:
    """Write the model as plain SQL: probability, grade, MQL and reasons of each row of a table.

    Named steps, each computed from the one before: features read, parts of the margin, margin,
    calibrated log-odds, and the three strongest reasons either way. Tables of cut points are nested
    ``CASE``, searched by halving, so that no join is planned and nothing but the query is needed.

    Parameters
    ----------
    decision : DecisionVersion
    table : str
        The feature table: ``lead_id``, ``as_of`` and a column for each feature.
    dialect : str
        One of ``DIALECTS``.

    Returns
    -------
    str
        Columns ``lead_id``, ``as_of``, ``margin``, ``probability``, ``grade``, ``mql``,
        ``reason_for_1`` (the reason's id), ``points_for_1`` (whole points of 100), and so on to
        ``points_against_3``.

    Raises
    ------
    ConfigError
        ``table`` is not the name of a table, or the model holds unlimited trees.
    """
    refuse_unlimited_trees(decision, "--sql")
    source: exp.Expression = _table(table, dialect)
    steps = [
        *model_steps(decision, dialect),
        *score_steps(decision),
        *reason_steps(decision),
    ]
    last: dict[str, exp.Expression] = {name: column(name) for name in steps[-1].columns}
    last["probability"] = probability(column("log_odds"))
    query = exp.Select()
    for step in (*steps, Step("probabilities", last)):
        query = query.with_(
            exp.to_identifier(step.name),
            as_=_selected(step.columns, source),
            # PostgreSQL would merge the steps, and compute each as often as the next names it.
            materialized=dialect == "postgres" or None,
            copy=False,
        )
        source = exp.to_table(step.name)
    scored = _selected(answer(decision), source)
    scored.set("with_", query.args["with_"])
    return f"{_header(decision, dialect)}\n{scored.sql(dialect=dialect)}\n"


def _header(decision: DecisionVersion, dialect: Dialect) -> str:
    tested = (
        "executed in leadlight's tests" if dialect in EXECUTED else "untested: only parsed back"
    )
    trained = str(decision.metadata.get("trained_at", "")).replace("\n", " ")
    header = f"-- leadlight, a decision version trained {trained}; {dialect}, {tested}"
    told = decision.uncalibrated
    return f"{header}\n-- {' '.join(told.split())}" if told else header


def _selected(columns: Columns, source: exp.Expression) -> exp.Select:
    named = [exp.alias_(value, name, quoted=True, copy=False) for name, value in columns.items()]
    return exp.select(*named, copy=False).from_(source, copy=False)


def _table(name: str, dialect: Dialect) -> exp.Expression:
    try:
        return exp.to_table(name, dialect=dialect)
    except (ParseError, TokenError, ValueError) as error:
        raise ConfigError(
            f"--table: '{name}' is not the name of a table",
            hint="Write it as the database does: lead_features, or analytics.lead_features.",
        ) from error
