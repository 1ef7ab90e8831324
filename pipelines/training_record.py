"""What is kept of a training in MLflow: choices, figures with intervals, files, and candidates."""

from collections.abc import Iterator, Mapping
from typing import Any

from leadlight.features.errors import NoSignalError
from leadlight.models.policies import UNCALIBRATED, Floors

from .artefact import to_json
from .champion_story import run_markdown
from .config import Config
from .environment import environment, requirements_text
from .report.model_card import model_card
from .report.model_card_text import card_html, card_markdown
from .report.plots import training_plots
from .report.summary import summarize_training
from .tracking import RunRecord

OUTCOME = "leadlight.outcome"
WINDOWS = "leadlight.windows"
DECISION = "leadlight.decision"
NOTE = "mlflow.note.content"
NO_SIGNAL = "no usable signal"
RULES_ONLY = "registered, rules only"


def training_record(
    config: Config, story: Mapping[str, Any], floors: Floors, decision: str
) -> RunRecord:
    """Return the record of a training that gave a decision version.

    Parameters
    ----------
    config : Config
    story : mapping
        Plain data of the training.
    floors : Floors
    decision : str
        What became of the version, and why, in sentences.
    """
    summary = summarize_training(story, floors=vars(floors))
    card = model_card(story, summary, environment())
    files = {f"plots/{name}": svg for name, svg in training_plots(summary).items()}
    files |= {"model_card.md": card_markdown(card), "model_card.html": card_html(card)}
    files["leaks.json"] = to_json(story["leaks"])
    files |= _environment_files()
    audit = summary["leaks"]["sentences"] if summary["leaks"] else ()
    weights = {member["name"]: member["weight"] for member in story["blend"]}
    return RunRecord(
        name="train",
        params=_choices(config, story["metadata"])
        | {
            "candidate": ", ".join(weights),
            "policy": story["threshold"]["policy"]["policy"],
            "snapshots": str(story["evaluation"]["rows"]),
        },
        metrics=dict(_figures(story)),
        tags={
            OUTCOME: RULES_ONLY if UNCALIBRATED in story["metadata"] else "registered",
            WINDOWS: "\n".join(story["windows"]),
            DECISION: decision,
            NOTE: run_markdown(decision, story["windows"], audit, files),
        },
        files=files,
        nested=tuple(_candidate_run(each, weights) for each in story["candidates"]),
    )


def definition_record(story: Mapping[str, Any], choices: Mapping[str, str]) -> RunRecord:
    """Return the record of a new definition on the model of an earlier training.

    Parameters
    ----------
    story : mapping
        Plain data of that training, with the new threshold.
    choices : mapping of str to str
        Who decided (``author``), why (``reason``), and what.
    """
    return RunRecord(
        name="definition",
        params=dict(choices) | {"policy": story["threshold"]["policy"]["policy"]},
        metrics=dict(_threshold_figures(story["threshold"])),
        tags={OUTCOME: "registered", DECISION: choices["reason"]},
        files={"threshold.json": to_json(story["threshold"])},
    )


def no_signal_record(config: Config, hashes: Mapping[str, str], error: NoSignalError) -> RunRecord:
    """Return the record of a training that found no usable signal: what was tried, what came out.

    Parameters
    ----------
    config : Config
    hashes : mapping of str to str
        Of data, configuration and code.
    error : NoSignalError
    """
    return RunRecord(
        name="train",
        params=_choices(config, hashes),
        metrics=dict(_evaluation_figures(error.evaluation)),
        tags={OUTCOME: NO_SIGNAL, DECISION: error.message},
        files={"no_signal.json": to_json(no_signal_story(error))} | _environment_files(),
    )


def no_signal_story(error: NoSignalError) -> dict[str, Any]:
    """Return plain data of a training that found no usable signal."""
    return {
        "outcome": NO_SIGNAL,
        "message": error.message,
        "tried": list(error.tried),
        "evaluation": error.evaluation,
    }


def _choices(config: Config, hashes: Mapping[str, Any]) -> dict[str, str]:
    return {
        **{name: str(hashes[name]) for name in ("data_hash", "config_hash", "code_hash")},
        "horizon_days": str(config.label.horizon_days),
        "lookback_days": str(list(config.features.lookback_days)),
        "policy": config.mql.policy,
        "seed": str(config.seed),
    }


def _environment_files() -> dict[str, str]:
    versions = environment()
    return {
        "environment.json": to_json(versions),
        "requirements.txt": requirements_text(versions),
    }


def _candidate_run(candidate: Mapping[str, Any], weights: Mapping[str, float]) -> RunRecord:
    figures = dict(_estimate("log_loss", candidate["log_loss"]))
    figures["fit_seconds"] = candidate["fit_seconds"]
    figures["weight"] = weights.get(candidate["name"], 0.0)
    return RunRecord(
        name=candidate["name"],
        params={key: str(value) for key, value in candidate["settings"].items()},
        metrics=figures,
        tags={"leadlight.chosen": str(figures["weight"] > 0).lower()},
    )


def _figures(story: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    yield from _threshold_figures(story["threshold"])
    yield from _evaluation_figures(story["evaluation"])
    yield from _evaluation_figures(story.get("unseen") or {}, "unseen_")
    if story["ceiling"]:  # of rules nothing was fitted
        yield from _estimate("ceiling_log_loss", story["ceiling"]["log_loss"])
        yield from _estimate("blend_log_loss", story["ceiling"]["blend"])
    for verdict in ("certain", "suspect"):
        found = sum(leak["verdict"] == verdict for leak in story["leaks"])
        yield f"leaks_{verdict}", float(found)


def _threshold_figures(choice: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    yield "threshold", choice["threshold"]
    for name in ("precision", "recall", "lift"):
        yield from _estimate(f"mql_{name}", choice[name])
    yield from _estimate("mqls_per_week", choice.get("mqls_per_week"))
    yield from _estimate("mql_share", choice["share"])


def _evaluation_figures(
    evaluation: Mapping[str, Any], prefix: str = ""
) -> Iterator[tuple[str, float]]:
    for figure, value in evaluation.items():
        if isinstance(value, Mapping | int):
            yield from _estimate(f"{prefix}{figure}", value)


def _estimate(
    name: str, estimate: Mapping[str, float | None] | float | None
) -> Iterator[tuple[str, float]]:
    """Give a figure, and the ends of its interval, as far as they are known."""
    if not isinstance(estimate, Mapping):
        estimate = {"value": estimate}
    for end, suffix in (("value", ""), ("low", "_low"), ("high", "_high")):
        value = estimate.get(end)
        if value is not None:
            yield f"{name}{suffix}", float(value)
