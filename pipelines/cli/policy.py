"""Commands about the MQL definition: what a policy would bring, and who agreed on which."""

from datetime import date
from typing import Annotated, Any

import typer

from leadlight.features.errors import ConfigError, ImpossiblePolicyError

from .console import DEFAULT_CONFIG, OUT, ConfigOption, JsonOption, app, load, print_json, say


@app.command()
def threshold(
    config: ConfigOption = DEFAULT_CONFIG,
    policy: Annotated[
        str | None,
        typer.Option(
            help="capacity, top_share, precision, profit, recall or probability; default: the "
            "policy in force."
        ),
    ] = None,
    leads_per_week: Annotated[
        float | None, typer.Option(help="capacity: new MQLs that sales can work.")
    ] = None,
    share: Annotated[float | None, typer.Option(help="top_share: share of leads.")] = None,
    precision: Annotated[
        float | None, typer.Option(help="precision: share of MQLs that must convert.")
    ] = None,
    confidence: Annotated[
        float | None, typer.Option(help="precision: how sure that must be; default 0.9.")
    ] = None,
    touch_cost: Annotated[
        float | None, typer.Option(help="profit: what working one MQL costs.")
    ] = None,
    win_value: Annotated[
        float | None, typer.Option(help="profit: what a win brings; default: mean amount.")
    ] = None,
    recall: Annotated[float | None, typer.Option(help="recall: share of conversions.")] = None,
    probability: Annotated[
        float | None, typer.Option(help="probability: the threshold itself.")
    ] = None,
    fit: Annotated[float | None, typer.Option(help="Floor of fit, a percentile 0 to 1.")] = None,
    engagement: Annotated[
        float | None, typer.Option(help="Floor of engagement, a percentile 0 to 1.")
    ] = None,
    save: Annotated[
        bool, typer.Option("--save", help="Make it the definition: a new decision version.")
    ] = False,
    author: Annotated[str, typer.Option(help="With --save: who decides.")] = "",
    reason: Annotated[str, typer.Option(help="With --save: why.")] = "",
    review_on: Annotated[
        str | None, typer.Option(help="With --save: day of the next review, like 2027-01-31.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Say what another MQL policy would bring, without retraining; with --save, agree on it.

    Example: leadlight threshold --policy precision --precision 0.3
    """
    from leadlight.pipelines.terminal_threshold import threshold_answer  # noqa: PLC0415
    from leadlight.pipelines.threshold import save_definition, what_if  # noqa: PLC0415

    values = {
        "leads_per_week": leads_per_week,
        "share": share,
        "precision": precision,
        "confidence": confidence,
        "touch_cost": touch_cost,
        "win_value": win_value,
        "recall": recall,
        "probability": probability,
    }
    asked = _policy(policy, {name: value for name, value in values.items() if value is not None})
    project, review = load(config), _day(review_on)
    if save and asked is None:
        raise ConfigError("--save needs a policy.", hint="leadlight threshold --policy ... --save")
    try:
        told = what_if(project, asked, fit=fit, engagement=engagement)
    except ImpossiblePolicyError as error:
        if as_json:
            print_json({"impossible": error.message, "best": error.best})
        raise
    saved: dict[str, Any] = {}
    if save:
        number, definition = save_definition(
            project, asked, told.floors, author=author, reason=reason, review_on=review
        )
        saved = {"saved": {"decision_version": number, **definition.to_dict()}}
    if as_json:
        print_json({**told.to_dict(), **saved})
        return
    OUT.print(threshold_answer(told.to_dict()))
    if save:
        say(
            f"Saved as definition {definition.number}: decision version {number} is the champion; "
            f"to be reviewed on {definition.review_on}."
        )


def _policy(name: str | None, values: dict[str, float]) -> Any:
    """Read the policy that the options name, or None."""
    from leadlight.models.policies import policy_from_dict  # noqa: PLC0415

    if name is None:
        if values:
            option = next(iter(values)).replace("_", "-")
            raise ConfigError(
                f"--{option} belongs to a policy.", hint="Name it: --policy precision"
            )
        return None
    return policy_from_dict({"policy": name, **values})


def _day(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ConfigError(
            f"--review-on: '{text}' is not a day", hint="Write it like 2027-01-31."
        ) from error
