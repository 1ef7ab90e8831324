"""What a report lacks, and why: a part that cannot be made is explained, never an empty frame."""

from .contents import Summary


def absent_parts(summary: Summary) -> dict[str, str]:
    """Say in words why a part of the report is missing, for each one that is.

    Parameters
    ----------
    summary : Summary

    Returns
    -------
    dict of str to str
        Name of the part -> sentence.
    """
    mql, scores = summary["mql"], summary["scores"]
    rules_only = summary["uncalibrated"] is not None
    missing = {
        "mql": (mql is None, "No MQL definition was chosen in this version."),
        "curve": (
            mql is not None and not mql["curve"],
            "There are too few rows to compare other thresholds.",
        ),
        "scores": (
            scores is None,
            "No leads have been scored with this version yet. Run leadlight score, then leadlight "
            "report again.",
        ),
        "hottest": (
            scores is not None and not scores["hottest"],
            "There was no open lead to score.",
        ),
        "reasons": (
            summary["reasons"] is None,
            "No feature moves the score: every lead has the same probability.",
        ),
        "shapes": (
            summary["reasons"] is not None and not summary["shapes"],
            "What single values add was not kept with this version.",
        ),
        "reliability": (
            summary["reliability"] is None,
            "Nothing is promised: the rules are not calibrated."
            if rules_only
            else "There are too few rows to compare promised and actual shares.",
        ),
        "segments": (
            summary["segments"] is None,
            "The data has no segment (source, country, size) with enough rows.",
        ),
        "lift": (summary["lift"] is None, "There are too few rows for a lift curve."),
        "feedback": (
            summary["feedback"] is None,
            "The data holds no decision of sales on an MQL. Map them under sources.feedback, and "
            "this part shows what sales rejects, and why.",
        ),
        "leaks": (summary["leaks"] is None, "No leak audit was kept with this version."),
        "candidates": (
            not summary["candidates"],
            "No candidate was fitted: the version is rules only."
            if rules_only
            else "The candidates' results were not kept with this version.",
        ),
        "windows": (not summary["windows"], "How the data was split was not kept."),
        "door": (summary["door"] is None, "The check of the data was not kept with this version."),
    }
    return {part: why for part, (is_missing, why) in missing.items() if is_missing}
