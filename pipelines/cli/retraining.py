"""Commands that renew a model: retrain through the gate."""

import typer

from leadlight.pipelines.progress import Progress

from .console import DEFAULT_CONFIG, OUT, ConfigOption, JsonOption, app, load, print_json
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
