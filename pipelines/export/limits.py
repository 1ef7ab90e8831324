"""What an export cannot carry."""

from leadlight.features.errors import ConfigError
from leadlight.models.decision import DecisionVersion


def refuse_unlimited_trees(decision: DecisionVersion, export: str) -> None:
    """Refuse to write a model out whose parts no table holds.

    Probability alone could be written out; fit, engagement and their floors, which decide who is
    an MQL, and the reasons could not.

    Parameters
    ----------
    decision : DecisionVersion
    export : str
        As the user asked for it: ``--sql``.

    Raises
    ------
    ConfigError
        The model holds unlimited trees.
    """
    if decision.compiled.trees:
        raise ConfigError(
            f"export {export}: this model holds unlimited trees, and the Shapley values of which "
            "fit, engagement and reasons are made cannot be written out as tables",
            hint="Score with `leadlight score` or `leadlight serve`, or take `leadlight export "
            "--card`. For an export say `model: {unlimited_trees: false}` and train again.",
        )
