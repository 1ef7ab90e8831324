"""The model card: what a decision version is, was made of, is good for, and is not.

After Mitchell et al. (2019), Model cards for model reporting. ``model_card`` gives plain data;
``model_card_text`` sets it out as Markdown and as one self-contained HTML page.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .contents import Summary
from .formats import count, decimal, interval_text, metric_text, percent, points

_USES = (
    "Meant for: ranking open leads, and deciding which of them are MQLs, by people who can see the "
    "reasons of each.",
    "Not meant for: decisions about credit, employment, prices or rights of a person, and leads of "
    "another company, market or product than those it was trained on.",
    "It knows only what the data had recorded before the day of the score.",
)
_HASHES = ("data_hash", "config_hash", "code_hash")


@dataclass(frozen=True)
class CardTable:
    """A table of a card: heads, and rows of as many cells."""

    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class CardSection:
    """A section of a card: sentences, each its own item, then a table."""

    heading: str
    sentences: tuple[str, ...]
    table: CardTable | None = None


@dataclass(frozen=True)
class ModelCard:
    """A model card as plain data; its text may come from the data and is not escaped."""

    title: str
    sections: tuple[CardSection, ...]


def model_card(
    story: Mapping[str, Any], summary: Summary, environment: Mapping[str, str]
) -> ModelCard:
    """Write the card of a training.

    Parameters
    ----------
    story : mapping
        Plain data of the training, with its metadata.
    summary : Summary
        The same, summed up.
    environment : mapping of str to str
        Versions of Python and of packages.
    """
    sections = (
        _section("What it predicts", [summary["predicts"], *summary["verdict"]]),
        _section("Use", _USES),
        _section("What counts as an MQL", summary["mql"]["sentences"] if summary["mql"] else ()),
        _section("Data", _data_sentences(summary), _tables_table(summary)),
        _section("Model", _model_sentences(summary), _candidates_table(summary)),
        _section("Figures", _figure_sentences(summary), _metrics_table(summary)),
        _section("Calibration by segment", *_segments(summary)),
        _section("Leak audit", *_leaks(summary)),
        _section("Decisions of sales", summary["feedback"]["sentences"])
        if summary["feedback"]
        else None,
        _section("What moves the score", *_reasons(summary)),
        _section("Limits and notes", [*summary["notes"], *_missing(summary)]),
        _section("Environment", *_environment(story, environment)),
    )
    return ModelCard(
        title=f"Model card: {summary['project']}",
        sections=tuple(
            section for section in sections if section and (section.sentences or section.table)
        ),
    )


def _section(
    heading: str, sentences: Iterable[str | None], table: CardTable | None = None
) -> CardSection:
    return CardSection(heading, tuple(sentence for sentence in sentences if sentence), table)


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> CardTable | None:
    filled = tuple(tuple(row) for row in rows)
    return CardTable(tuple(heads), filled) if filled else None


def _data_sentences(summary: Summary) -> list[str | None]:
    trained = f"Trained on {summary['trained_at']}." if summary["trained_at"] else None
    return [trained, *summary["windows"]]


def _tables_table(summary: Summary) -> CardTable | None:
    tables = summary["door"]["tables"] if summary["door"] else []
    return _table(
        ("Table", "Rows read", "Rows kept"),
        [(row["table"], count(row["read"]), count(row["kept"])) for row in tables],
    )


def _model_sentences(summary: Summary) -> list[str | None]:
    return [
        *summary["blend"],
        summary["recency"],
        summary["ceiling"],
        "What is kept is look-up tables and numbers (JSON and NumPy arrays), never a pickle; its "
        "log-odds are a sum of parts, "
        + ("one for each signal." if summary["shapley"] else "so each reason is exact."),
    ]


def _candidates_table(summary: Summary) -> CardTable | None:
    return _table(
        ("Candidate", "Log loss", "95% interval", "Seconds to fit", "Weight"),
        [
            (
                each["name"],
                decimal(each["log_loss"]["value"], 4),
                interval_text(each["log_loss"]["low"], each["log_loss"]["high"], ""),
                decimal(each["fit_seconds"], 1),
                ("chosen" if each["weight"] is None else decimal(each["weight"], 2))
                if each["chosen"]
                else "not in the model",
            )
            for each in summary["candidates"]
        ],
    )


def _figure_sentences(summary: Summary) -> list[str | None]:
    honest = summary["reliability"]["sentence"] if summary["reliability"] else None
    return [summary["evaluated"], summary["unseen"], honest]


def _metrics_table(summary: Summary) -> CardTable | None:
    return _table(
        ("Metric", "Value", "95% interval", "What it says"),
        [
            (
                metric["label"],
                metric_text(metric["value"], metric["unit"]),
                interval_text(metric["low"], metric["high"], metric["unit"]),
                metric["explanation"],
            )
            for metric in summary["metrics"]
        ],
    )


def _segments(summary: Summary) -> tuple[list[str], CardTable | None]:
    section = summary["segments"]
    if section is None:
        return [], None
    table = _table(
        ("Segment", "Promised", "Converted", "95% interval", "Rows", "Error", "Slope", "Intercept"),
        [
            (
                f"{row['label']}: {row['value']}",
                percent(row["predicted"]),
                percent(row["observed"]),
                interval_text(row["low"], row["high"], "percent"),
                count(row["rows"]),
                points(row["ece"]),
                decimal(row["slope"], 2),
                decimal(row["intercept"], 2),
            )
            for row in section["rows"]
        ],
    )
    return [section["sentence"]], table


def _leaks(summary: Summary) -> tuple[list[str], CardTable | None]:
    section = summary["leaks"]
    if section is None:
        return [], None
    found = [("certain", leak) for leak in section["certain"]]
    found += [("suspect", leak) for leak in section["suspect"]]
    table = _table(
        ("Column", "Verdict", "Used", "Why", "Configuration to change it"),
        [
            (
                leak["where"],
                verdict,
                "no" if leak["excluded"] else "yes",
                f"It {leak['reason']} ({leak['evidence']}). {leak['gain'] or ''}".rstrip(),
                leak["config"],
            )
            for verdict, leak in found
        ],
    )
    return section["sentences"], table


def _reasons(summary: Summary) -> tuple[list[str], CardTable | None]:
    section = summary["reasons"]
    if section is None:
        return [], None
    rows = [(each["label"], each["family"], percent(each["share"])) for each in section["shown"]]
    sentences = [section["sentence"], *([summary["shapley"]] if summary["shapley"] else [])]
    return sentences, _table(("Signal", "Family", "Share of movement"), rows)


def _missing(summary: Summary) -> list[str]:
    """Say what was not there; that nothing is scored yet is no limit of the model."""
    return [why for part, why in summary["absent"].items() if part != "scores"]


def _environment(
    story: Mapping[str, Any], environment: Mapping[str, str]
) -> tuple[list[str], CardTable | None]:
    hashes = [
        f"SHA-256 of the {name.removesuffix('_hash')}: {story['metadata'][name]}"
        for name in _HASHES
        if name in story["metadata"]
    ]
    return hashes, _table(("Software", "Version"), list(environment.items()))
