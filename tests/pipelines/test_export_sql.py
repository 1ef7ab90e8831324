"""The model as SQL gives every lead the same probability, grade, decision and reasons."""

import math
from dataclasses import replace

import duckdb
import numpy as np
import pandas as pd
import pytest
import sqlglot
from exported_model import exported_decision, odd_leads
from postgres_server import running_server
from spark_session import spark
from sqlglot import exp

from leadlight.features.errors import ConfigError
from leadlight.models.decision import DecisionVersion
from leadlight.models.strongest_reasons import REASONS
from leadlight.models.threshold import SegmentThreshold
from leadlight.pipelines.export.sql_query import DIALECTS, EXECUTED, scoring_query

__all__ = ["spark"]


@pytest.fixture(scope="module")
def decision() -> DecisionVersion:
    return exported_decision()


@pytest.fixture(scope="module")
def leads() -> pd.DataFrame:
    return odd_leads()


def assert_same(decision: DecisionVersion, leads: pd.DataFrame, answered: pd.DataFrame) -> None:
    wanted = decision.decide(leads)
    answered = answered.set_index("lead_id").loc[wanted["lead_id"]].reset_index()
    np.testing.assert_allclose(
        answered["probability"].astype(float), wanted["probability"], rtol=0, atol=1e-9
    )
    assert answered["grade"].tolist() == wanted["grade"].tolist()
    assert answered["mql"].astype(bool).tolist() == wanted["mql"].tolist()
    for direction in ("for", "against"):
        for told, column in (("reason", "reason_ids"), ("points", "reason_points")):
            ranks = [f"{told}_{direction}_{rank}" for rank in range(1, REASONS + 1)]
            rows = answered[ranks].astype(object).itertuples(index=False)
            found = [[each for each in row if not pd.isna(each)] for row in rows]
            assert found == wanted[f"{column}_{direction}"].tolist()


def test_duckdb_scores_as_the_model_does(decision: DecisionVersion, leads: pd.DataFrame) -> None:
    connection = duckdb.connect()
    connection.register("lead_features", leads)
    query = scoring_query(decision, table="lead_features", dialect="duckdb")
    assert_same(decision, leads, connection.sql(query).to_arrow_table().to_pandas())


def test_missing_values_may_be_null_or_not_a_number(
    decision: DecisionVersion, leads: pd.DataFrame
) -> None:
    connection = duckdb.connect()
    connection.register("known_leads", leads)
    nan = ", ".join(
        f'coalesce("{name}", \'NaN\'::DOUBLE) AS "{name}"'
        for name in decision.compiled.features
        if leads[name].dtype == np.float64
    )
    connection.execute(f"CREATE TABLE lead_features AS SELECT * REPLACE ({nan}) FROM known_leads")
    query = scoring_query(decision, table="lead_features", dialect="duckdb")
    assert_same(decision, leads, connection.sql(query).to_arrow_table().to_pandas())


@pytest.mark.postgres
def test_postgresql_scores_as_the_model_does(
    decision: DecisionVersion, leads: pd.DataFrame
) -> None:
    sqlalchemy = pytest.importorskip("sqlalchemy")
    with running_server() as url:
        engine = sqlalchemy.create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
        with engine.begin() as connection:
            leads.to_sql("lead_features", connection, index=False)
            query = scoring_query(decision, table="public.lead_features", dialect="postgres")
            rows = connection.exec_driver_sql(query.replace("%", "%%")).mappings().all()
        engine.dispose()
    assert_same(decision, leads, pd.DataFrame(rows))


@pytest.mark.spark
def test_spark_scores_as_the_model_does(
    decision: DecisionVersion, leads: pd.DataFrame, spark: object, tmp_path: object
) -> None:
    leads.to_parquet(f"{tmp_path}/leads.parquet", index=False)
    spark.read.parquet(f"{tmp_path}/leads.parquet").createOrReplaceTempView("lead_features")
    query = scoring_query(decision, table="lead_features", dialect="spark")
    rows = [row.asDict() for row in spark.sql(query).collect()]
    assert_same(decision, leads, pd.DataFrame(rows))


@pytest.mark.parametrize("dialect", DIALECTS)
def test_each_dialect_reads_its_query_back_and_says_whether_it_was_executed(
    decision: DecisionVersion, dialect: str
) -> None:
    query = scoring_query(decision, table="lead_features", dialect=dialect)
    read = sqlglot.parse_one(query, dialect=dialect)
    assert {"probability", "grade", "mql", "reason_for_1"} <= set(read.named_selects)
    assert ("untested" in query.splitlines()[0]) == (dialect not in EXECUTED)
    assert read.sql(dialect=dialect, comments=False) in query


def test_the_table_of_the_query_cannot_be_another_statement(decision: DecisionVersion) -> None:
    query = scoring_query(decision, table="leads; DROP TABLE leads", dialect="duckdb")
    (statement,) = sqlglot.parse(query, dialect="duckdb")
    assert "leads; DROP TABLE leads" in {table.name for table in statement.find_all(exp.Table)}
    for no_name in ("", 'leads"; DROP TABLE leads'):
        with pytest.raises(ConfigError, match="not the name of a table"):
            scoring_query(decision, table=no_name, dialect="duckdb")


def test_thresholds_by_segment_hold_in_the_query_too(
    decision: DecisionVersion, leads: pd.DataFrame
) -> None:
    estimate = decision.threshold.precision
    segments = (
        SegmentThreshold("north's", 0.02, estimate, estimate),
        SegmentThreshold("other", 0.5, estimate, estimate),
    )
    threshold = replace(
        decision.threshold, segments=segments, policy={**decision.threshold.policy, "by": "country"}
    )
    several = replace(decision, threshold=threshold)
    own = leads.assign(mql_segment=["north's", "south", None, "other"] * (len(leads) // 4))
    connection = duckdb.connect()
    connection.register("lead_features", own)
    query = scoring_query(several, table="lead_features", dialect="duckdb")
    assert_same(several, own, connection.sql(query).to_arrow_table().to_pandas())


def test_the_query_bends_as_the_calibration_does_beyond_and_between_its_knots(
    decision: DecisionVersion, leads: pd.DataFrame
) -> None:
    margins = decision.compiled.margin(leads)
    knots = np.array(decision.calibration.knots)[:, 0]
    assert len(knots) > 3
    assert margins.min() < knots[0]
    assert margins.max() > knots[-1]
    assert not math.isnan(decision.decide(leads)["probability"].sum())
