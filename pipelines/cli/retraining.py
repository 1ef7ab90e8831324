"""Commands that renew a model: retrain through the gate, and replay what that would have done."""

from datetime import datetime
from typing import Annotated

import typer

from leadlight.features.errors import ConfigError
from leadlight.pipelines.progress import Progress

from .console import DEFAULT_CONFIG, OUT, ConfigOption, JsonOption, app, load, print_json, utc
from .versions import ByOption


@app.command()
def retrain(
    by: ByOption = None, config: ConfigOption = DEFAULT_CONFIG, as_json: JsonOption = False
) -> None:
    """Train a challenger on the newest deals, compare it with the champion, promote it or not.

    The gate (`retrain:` in the configuration) decides. Exit code 0: promoted; 4: the champion was
    kept, and the reason is told; any other: failed, and the champion is what it was.

    Example: leadlight retrain --by cron
    """
    from leadlight.pipelines.challenge_tables import retraining_summary  # noqa: PLC0415
    from leadlight.pipelines.retrain import KEPT_EXIT_CODE  # noqa: PLC0415
    from leadlight.pipelines.retrain import retrain as retrain_job  # noqa: PLC0415

    retrained = retrain_job(load(config), Progress(), by=by)
    if as_json:
        print_json(retrained.to_dict())
    else:
        OUT.print(retraining_summary(retrained))
    if retrained.outcome == "kept":
        raise typer.Exit(KEPT_EXIT_CODE)


@app.command()
def replay(
    begin: Annotated[
        str | None, typer.Option("--from", help="Date, or row, of the first retraining.")
    ] = None,
    end: Annotated[str | None, typer.Option("--to", help="Date, or row, of the end.")] = None,
    every: Annotated[
        str | None, typer.Option(help="Between retrainings: 1m, 2w, 10d, or '500 rows'.")
    ] = None,
    steps: Annotated[
        int | None, typer.Option(min=1, max=240, help="So many steps, in place of --every.")
    ] = None,
    labels_lag: Annotated[
        int, typer.Option(min=0, help="Without dates: rows after which a label is known.")
    ] = 0,
    incumbent: Annotated[
        str | None, typer.Option(help="Column of the score that you have today.")
    ] = None,
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Retrain step by step over history, and show what would have happened.

    Promised and realised precision, calibration and log loss of a model trained once, of one
    retrained through the gate, of one retrained always, and of the score that you have today. The
    champion is not touched.

    Example: leadlight replay --from 2025-01-01 --every 1m --incumbent crm_points
    """
    from leadlight.models.replay_steps import Every  # noqa: PLC0415
    from leadlight.pipelines.replay import ReplaySpan, replay_history  # noqa: PLC0415
    from leadlight.pipelines.replay_tables import replay_summary  # noqa: PLC0415

    if every and steps:
        raise ConfigError("--every and --steps were both given", hint="Give one of them.")
    span = ReplaySpan(
        _edge(begin, "--from"),
        _edge(end, "--to"),
        Every.read(every) if every else None,
        steps,
        labels_lag,
    )
    done = replay_history(load(config), Progress(), span, incumbent=incumbent)
    if as_json:
        print_json(done.to_dict())
    else:
        OUT.print(replay_summary(done))


def _edge(text: str | None, option: str) -> datetime | int | None:
    if text is None:
        return None
    # Eight digits are a date in short (20250131), not a row.
    return int(text) if text.isdecimal() and len(text) < len("20250131") else utc(text, option)
