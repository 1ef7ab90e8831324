"""Buckets of whole accounts on Spark: which rows a task needs."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812

BUCKET, _NUMBER = "_bucket", "_number"


@dataclass(frozen=True)
class SparkBuckets:
    """Which buckets the rows of a table belong to.

    Attributes
    ----------
    names : DataFrame
        ``name`` (a lead's id or alias) and its bucket.
    buckets : int
    """

    names: DataFrame
    buckets: int

    @classmethod
    def of(cls, tables: Mapping[str, DataFrame], buckets: int) -> Self:
        """Assign a bucket to each lead and to its aliases."""
        leads = tables["leads"]
        key = F.col("lead_id")
        if "account_id" in leads.columns:
            key = F.coalesce("account_id", "lead_id")
        own = leads.select(F.col("lead_id").alias("name"), _hashed(key, buckets).alias(BUCKET))
        if "identities" not in tables:
            return cls(own, buckets)
        links = tables["identities"].join(own, F.col("lead_id") == F.col("name"))
        aliases = links.select(F.col("alias").alias("name"), BUCKET)
        return cls(own.union(aliases).distinct(), buckets)

    def placed(self, table: str, rows: DataFrame) -> DataFrame:
        """Add the bucket; a row that belongs to several is repeated, of none is left out."""
        if table == "profile_history":
            of_leads = self._by_name(rows.where(F.col("entity") == "lead"), "id")
            return of_leads.union(self._by_account(rows.where(F.col("entity") == "account"), "id"))
        if table == "leads":
            return self.of_account(rows)
        if "account_id" not in rows.columns:
            return self._by_name(rows, "lead_id")
        if "lead_id" not in rows.columns:
            return self._by_account(rows, "account_id")
        if table == "events":  # an event that names a lead is not one of the account
            of_leads = self._by_name(rows.where(F.col("lead_id").isNotNull()), "lead_id")
            others = rows.where(F.col("lead_id").isNull())
            return of_leads.union(self._by_account(others, "account_id"))
        numbered = rows.withColumn(_NUMBER, F.monotonically_increasing_id())
        both = self._by_name(numbered, "lead_id").union(self._by_account(numbered, "account_id"))
        return both.dropDuplicates([_NUMBER, BUCKET]).drop(_NUMBER)

    def of_account(self, rows: DataFrame) -> DataFrame:
        """Add the bucket of leads or snapshots."""
        key = F.col("lead_id")
        if "account_id" in rows.columns:
            key = F.coalesce("account_id", "lead_id")
        return rows.withColumn(BUCKET, _hashed(key, self.buckets))

    def _by_name(self, rows: DataFrame, column: str) -> DataFrame:
        names = self.names.withColumnRenamed("name", "_name")
        joined = rows.join(names, rows[column] == names["_name"])
        return joined.select(*rows.columns, BUCKET)

    def _by_account(self, rows: DataFrame, column: str) -> DataFrame:
        known = rows.where(F.col(column).isNotNull())
        return known.withColumn(BUCKET, _hashed(F.col(column), self.buckets))


def _hashed(key: Column, buckets: int) -> Column:
    return F.pmod(F.xxhash64(key), F.lit(buckets)).cast("int")
