"""The plots that a training run leaves in the registry: the report's charts, one file each."""

from collections.abc import Mapping
from typing import Any

from .figures import draw_charts
from .summary import summarize


def training_plots(story: Mapping[str, Any]) -> dict[str, str]:
    """Draw the charts of a training run.

    Parameters
    ----------
    story : mapping
        Plain data of the training: evaluation, threshold, importance, metadata.

    Returns
    -------
    dict of str to str
        File name -> SVG.
    """
    summary = summarize(
        metadata={**story["metadata"], "version": ""},
        evaluation=story["evaluation"],
        threshold=story["threshold"],
        importance=story["importance"],
    )
    return {f"{name}.svg": str(svg) for name, svg in draw_charts(summary).items()}
