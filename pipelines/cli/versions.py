"""Commands about decision versions: which there are, which one speaks, and the way back."""

from typing import Annotated, Any

import typer

from leadlight.features.errors import LeadlightError

from .console import DEFAULT_CONFIG, OUT, ConfigOption, JsonOption, app, load, print_json, say

ByOption = Annotated[
    str | None, typer.Option("--by", help="Who decides; default: the user of this machine.")
]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why, in a sentence; it is kept.")]


@app.command()
def versions(config: ConfigOption = DEFAULT_CONFIG, as_json: JsonOption = False) -> None:
    """List the decision versions: which is champion, who made each, when and why.

    Example: leadlight versions
    """
    from leadlight.pipelines.promotion import champion_history  # noqa: PLC0415
    from leadlight.pipelines.promotion import versions as list_versions  # noqa: PLC0415
    from leadlight.pipelines.version_tables import decision_table, version_table  # noqa: PLC0415

    project = load(config)
    listed = list_versions(project)
    history = champion_history(project) if listed else ()
    if as_json:
        print_json(
            {
                "versions": [each.to_dict() for each in listed],
                "decisions": [each.to_dict() for each in history],
            }
        )
        return
    if not listed:
        say("No decision version is registered yet: leadlight train")
        return
    OUT.print(version_table(listed))
    OUT.print(decision_table(history))


@app.command()
def promote(
    reason: ReasonOption,
    version: Annotated[
        int | None, typer.Argument(help="Number of the decision version; default: the challenger.")
    ] = None,
    by: ByOption = None,
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Make a decision version the champion: model, calibration, threshold and catalog in one step.

    The next `leadlight score` uses it; nothing has to be restarted.

    Example: leadlight promote 7 --by "Ada" --reason "sales asked for the new segments"
    """
    from leadlight.pipelines.promotion import promote as promote_version  # noqa: PLC0415

    _tell(promote_version(load(config), version, _mandate(by, reason)), as_json)


@app.command()
def rollback(
    reason: ReasonOption,
    by: ByOption = None,
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Go back to the champion before this one; its scores are the same bytes as they were.

    Example: leadlight rollback --by "Ada" --reason "MQLs doubled overnight"
    """
    from leadlight.pipelines.promotion import roll_back  # noqa: PLC0415

    _tell(roll_back(load(config), _mandate(by, reason)), as_json)


def _mandate(by: str | None, reason: str) -> Any:
    from leadlight.pipelines.registry import Mandate  # noqa: PLC0415

    if not reason.strip():
        raise LeadlightError("--reason is empty", hint="Say why, in a sentence: it is kept.")
    return Mandate(by, reason.strip()) if by else Mandate.of_this_user(reason.strip())


def _tell(decision: Any, as_json: bool) -> None:
    if as_json:
        print_json(decision.to_dict())
        return
    before = decision.from_version
    instead = f" in place of version {before}" if before is not None else ""
    say(f"Decision version {decision.to_version} is the champion{instead}.")
