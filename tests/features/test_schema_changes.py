"""Today's columns beside those of training."""

import pytest

from leadlight.features.definition import FeatureDefinition, ProfileColumn
from leadlight.features.engines import DuckDBEngine
from leadlight.features.schema_changes import as_trained_sql, in_words, schema_changes

THEN = {"leads": {"lead_id": "text", "visits": "numbers", "plan": "text", "memo": "text"}}
DEFINITION = FeatureDefinition(
    profile=(
        ProfileColumn("visits", "leads", "visits", "numeric"),
        ProfileColumn("plan", "leads", "plan", "category"),
    )
)


def changed(**columns: str) -> dict[str, dict[str, str]]:
    return {"leads": {"lead_id": "text", **columns}}


def test_the_same_columns_in_any_order_are_no_change() -> None:
    now = {"leads": dict(reversed(THEN["leads"].items()))}
    assert schema_changes(THEN, now, DEFINITION) == ()


@pytest.mark.parametrize(
    ("now", "said"),
    [
        (
            changed(visit="numbers", plan="text", memo="text"),
            [
                "leads: column 'visits' held numbers in training and is missing; it counts as "
                "empty for every lead. Did you mean 'visit'?",
                "leads: new since training, and not used until the next: 'visit'.",
            ],
        ),
        (
            changed(visits="numbers", plan="text"),
            [
                "leads: column 'memo' held text in training and is missing; the model does not "
                "read it."
            ],
        ),
        (
            changed(visits="text", plan="text", memo="text"),
            [
                "leads: column 'visits' held numbers in training and now holds text; what cannot "
                "be read as numbers counts as empty."
            ],
        ),
    ],
)
def test_the_difference_is_told_column_by_column(now: dict, said: list[str]) -> None:
    assert list(in_words(schema_changes(THEN, now, DEFINITION), now)) == said


def test_a_table_is_read_as_training_would_have_read_it() -> None:
    now = changed(visits="text", plan="numbers", extra="text")
    changes = schema_changes(THEN, now, DEFINITION)
    rows = (
        "(SELECT * FROM (VALUES ('a', '3.5', 2.0, 'x'), ('b', 'many', 2.5, 'y'))"
        " AS t(lead_id, visits, plan, extra))"
    )
    sql = as_trained_sql(rows, "leads", ["lead_id", "visits", "plan", "extra"], changes)
    with DuckDBEngine() as engine:
        assert engine.rows(f"SELECT lead_id, visits, plan, extra, memo FROM ({sql})") == [
            ("a", 3.5, "2", "x", None),
            ("b", None, "2.5", "y", None),
        ]
