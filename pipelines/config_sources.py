"""The part of the configuration that says where raw tables lie and what their columns mean."""

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from difflib import get_close_matches
from functools import lru_cache
from pathlib import PurePath
from typing import Annotated, Any, ClassVar, Self, TypeVar
from zoneinfo import available_timezones

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    SecretStr,
    Strict,
    StringConstraints,
    field_validator,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from leadlight.features.errors import did_you_mean
from leadlight.features.sources import Source
from leadlight.features.sources.object_store import is_url
from leadlight.features.tables import TABLES

Text = Annotated[str, StringConstraints(min_length=1)]
Whole = Annotated[int, Strict()]
Number = Annotated[float, Strict(), Field(allow_inf_nan=False)]

# A further column of leads or accounts may have any name that is not this close to a known one.
_MISSPELT = 0.8
_DATABASE_FILES = (".duckdb", ".db")
_TEXT_FILES = (".csv", ".tsv", ".txt")


def problem(text: str) -> PydanticCustomError:
    """Return an error of the configuration, in words for the person who wrote it."""
    return PydanticCustomError("contradiction", "{text}", {"text": text})


@lru_cache(maxsize=1)
def _timezones() -> frozenset[str]:
    return frozenset(available_timezones())


def _real_zone(name: str) -> str:
    if name not in _timezones():
        raise problem(f"no time zone is called '{name}'.{did_you_mean(name, _timezones())}")
    return name


Zone = Annotated[str, AfterValidator(_real_zone)]


class Settings(BaseModel):
    """A section of the configuration: frozen, and strict about the keys it knows."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _known_keys(cls, data: Any) -> Any:
        unknown = [key for key in data if key not in cls.model_fields] if _is_map(data) else []
        if unknown:
            hints = {key: did_you_mean(str(key), cls.model_fields) for key in unknown}
            raise PydanticCustomError(
                "unknown_keys",
                "unknown keys {keys}",
                {"keys": hints, "known": list(cls.model_fields)},
            )
        return data


class OneOrMany:
    """Marks a field that is written as one mapping or as a list of them."""

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_before_validator_function(
            lambda value: [value] if _is_map(value) else value, handler(source)
        )

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        array = handler(schema)
        return {"anyOf": [array["items"], array]}


class TableSource(Settings):
    """One raw table: a file, files of one pattern, or a table of a database."""

    table: ClassVar[str]

    path: Text | None = Field(
        default=None,
        description="File or glob, relative to this file's folder, or in an object store (s3://, "
        "gs://, ...): .csv, .tsv, .txt (also .gz), .parquet, .duckdb or .db",
    )
    url: SecretStr | None = Field(
        default=None,
        description="Instead of path: SQLAlchemy URL of a database; best as ${VARIABLE}",
    )
    name: Text | None = Field(
        default=None,
        description="Table or view in the database or DuckDB file; schema.table is allowed",
    )
    query: Text | None = Field(default=None, description="Instead of name: a SELECT to run there")
    columns: dict[str, Text] = Field(
        default_factory=dict,
        description="leadlight's column: the source's; columns of the same name need no entry",
    )
    where: Text | None = Field(
        default=None, description="SQL condition over the source's columns: which rows to read"
    )
    timezone: Zone | None = Field(
        default=None, description="Zone of times that carry none, as an IANA name; default UTC"
    )
    delimiter: Text | None = Field(
        default=None, description="Text files: what separates values; default: found in the file"
    )
    encoding: Text | None = Field(
        default=None, description="Text files: character encoding; default: found in the file"
    )
    missing: tuple[str, ...] = Field(
        default=(), description="Texts that mean that there is no value, beside the empty one"
    )

    @field_validator("columns")
    @classmethod
    def _canonical_columns(cls, columns: dict[str, str]) -> dict[str, str]:
        table = TABLES[cls.table]
        derived = {"converted": "won", "position": "order_by"} if cls.table == "leads" else {}
        known = [name for name in table.names if name not in derived]
        for name in columns:
            if name in derived:
                raise problem(f"'{name}' is not mapped but said with `{derived[name]}:`")
            if name in known:
                continue
            nearest = get_close_matches(name.lower(), known, n=1, cutoff=_MISSPELT)
            if nearest or not table.takes_more:
                raise problem(
                    f"{cls.table} has no column '{name}'.{did_you_mean(name, known)} "
                    f"Write leadlight's column first, then the source's. Known: {', '.join(known)}"
                )
        return columns

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.path is None) == (self.url is None):
            count = "not both" if self.path else "one of them is needed"
            raise problem(f"say either `path` or `url`; {count}")
        if self.name and self.query:
            raise problem("say either `name` or `query`; not both")
        is_database = self.url is not None or _suffix(self.path) in _DATABASE_FILES
        if is_database and not (self.name or self.query):
            raise problem("a database needs `name` (a table or view) or `query` (a SELECT)")
        if not is_database and (self.name or self.query):
            raise problem("`name` and `query` are for databases; a file is read whole")
        is_text = self.path is not None and _suffix(self.path) in _TEXT_FILES
        if (self.delimiter or self.encoding) and not is_text:
            raise problem("`delimiter` and `encoding` are for text files (.csv, .tsv, .txt)")
        return self

    def source(self, key: str, resolve: Callable[[str], str]) -> Source:
        """Return the description that the door reads.

        Parameters
        ----------
        key : str
            Where the configuration speaks of it: ``"sources.events[1]"``.
        resolve : callable
            From a path as written to the path to open.
        """
        said = self.model_dump(include={"name", "query", "columns", "where", "timezone"})
        said |= self.model_dump(include={"delimiter", "encoding", "missing"})
        said |= self.model_dump(include={"event_type", "since", "won", "order_by"})
        return Source(
            table=self.table,
            key=key,
            path=resolve(self.path) if self.path and not is_url(self.path) else self.path,
            url=self.url.get_secret_value() if self.url else None,
            **said,
        )


class LeadsSource(TableSource):
    """People or companies who might buy; with `won`, a flat table whose rows are snapshots."""

    table = "leads"

    won: Text | None = Field(
        default=None, description="Flat tables: SQL condition that says whether the row converted"
    )
    order_by: Text | None = Field(
        default=None,
        description="Flat tables: column that orders rows in time, or 'row' for file order",
    )

    @model_validator(mode="after")
    def _order_needs_a_label(self) -> Self:
        if self.order_by and not self.won:
            raise problem("`order_by` is for flat tables, and those have a label: add `won`")
        return self


class AccountsSource(TableSource):
    """Companies that leads belong to."""

    table = "accounts"


class EventsSource(TableSource):
    """What leads did, and when."""

    table = "events"

    event_type: Text | None = Field(
        default=None, description="One type for every row; instead of a mapped column"
    )
    since: date | None = Field(
        default=None, description="First day to read, such as 2023-01-01; default: all there is"
    )

    @model_validator(mode="after")
    def _one_event_type(self) -> Self:
        if self.event_type and "event_type" in self.columns:
            raise problem(
                "`event_type` is both a constant and a mapped column "
                f"('{self.columns['event_type']}'); keep one"
            )
        return self


class OutcomesSource(TableSource):
    """Deals: won, lost or still open."""

    table = "outcomes"

    won: Text | None = Field(
        default=None,
        description="SQL condition over the source's columns: whether the deal was won",
    )
    observed_from: date | None = Field(
        default=None, description="First day whose wins are recorded; default: found in the data"
    )
    observed_until: date | None = Field(
        default=None,
        description="Last day whose wins are recorded in full; default: found in the data",
    )
    lag_days: Whole = Field(
        default=0, ge=0, description="Days until a closed deal shows up in this source"
    )

    @model_validator(mode="after")
    def _says_what_a_win_is(self) -> Self:
        if self.won and "won" in self.columns:
            raise problem("`won` is both an expression and a mapped column; keep one")
        if not self.won and "won" not in self.columns:
            raise problem(
                "say what a win is, as an SQL condition over the source's columns: "
                "won: \"stage = 'closedwon'\". Or map a column: columns: {won: is_won}"
            )
        if self.observed_from and self.observed_until and self.observed_from > self.observed_until:
            raise problem("`observed_from` is later than `observed_until`")
        return self


class FeedbackSource(TableSource):
    """What sales said of MQLs: accepted or rejected."""

    table = "feedback"


class ProfileHistorySource(TableSource):
    """Former values of profile fields, where the CRM keeps them."""

    table = "profile_history"


class IdentitiesSource(TableSource):
    """Anonymous visitors and merged contacts, and the lead that each became known as."""

    table = "identities"


Item = TypeVar("Item", bound=TableSource)
Sources = Annotated[tuple[Item, ...], OneOrMany()]


class SourcesSettings(Settings):
    """Where the tables come from; only leads and a source of labels are required."""

    leads: Annotated[Sources[LeadsSource], Field(min_length=1)] = Field(
        description="People or companies who might buy"
    )
    accounts: Sources[AccountsSource] = Field(
        default=(), description="Companies that leads belong to"
    )
    events: Sources[EventsSource] = Field(default=(), description="What leads did, and when")
    outcomes: Sources[OutcomesSource] = Field(
        default=(), description="Deals won and lost; without them, leads need `won`"
    )
    feedback: Sources[FeedbackSource] = Field(
        default=(), description="MQLs that sales accepted or rejected"
    )
    profile_history: Sources[ProfileHistorySource] = Field(
        default=(), description="Former values of profile fields"
    )
    identities: Sources[IdentitiesSource] = Field(
        default=(), description="Aliases of leads: anonymous visitors, merged contacts"
    )

    @property
    def is_flat(self) -> bool:
        """Whether leads carry the label themselves, so that rows are snapshots."""
        return any(source.won for source in self.leads)

    @model_validator(mode="after")
    def _one_source_of_labels(self) -> Self:
        if self.is_flat and not all(source.won for source in self.leads):
            raise problem("some of `leads` say `won` and some do not; a flat table says it in each")
        timed = [
            name
            for name in ("events", "outcomes", "feedback", "profile_history", "identities")
            if getattr(self, name)
        ]
        if self.is_flat and timed:
            raise problem(
                f"`leads` has a label of its own (`won`), so its rows are snapshots without a "
                f"time; {', '.join(timed)} cannot be used with it. Drop `leads.won`, or drop them"
            )
        if not self.is_flat and not self.outcomes:
            raise problem(
                "nothing says who converted: add `outcomes` (deals with a closing time and `won`), "
                "or `won` to `leads` if each row of it carries its label"
            )
        return self

    def each(self) -> Iterable[tuple[str, TableSource]]:
        """Yield each source with its key: ``sources.leads``, ``sources.events[1]``."""
        for table in type(self).model_fields:
            several: tuple[TableSource, ...] = getattr(self, table)
            for index, source in enumerate(several):
                yield f"sources.{table}" + (f"[{index}]" if len(several) > 1 else ""), source


def _is_map(value: object) -> bool:
    return isinstance(value, Mapping)


def _suffix(path: str | None) -> str:
    name = (path or "").lower().removesuffix(".gz")
    return PurePath(name).suffix
