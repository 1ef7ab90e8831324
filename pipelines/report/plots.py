"""The plots that a training run leaves in the registry: the report's charts, one file each."""

from .contents import Summary
from .figures import draw_charts


def training_plots(summary: Summary) -> dict[str, str]:
    """Draw the charts of a training run.

    Parameters
    ----------
    summary : Summary
        From ``summarize_training``.

    Returns
    -------
    dict of str to str
        File name -> SVG.
    """
    return {f"{name}.svg": str(svg) for name, svg in draw_charts(summary).items()}
