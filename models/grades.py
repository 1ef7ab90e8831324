"""Grades: A to D by a lead's percentile among held-out leads."""

import numpy as np
from numpy.typing import NDArray

GRADES = (("A", 0.9), ("B", 0.7), ("C", 0.4), ("D", 0.0))
"""Each grade with the least percentile (0 to 1) that it asks for."""


def grades_of(percentile: NDArray[np.float64]) -> NDArray[np.object_]:
    """Return the grade of each percentile; D where it is unknown.

    Parameters
    ----------
    percentile : array of shape (n,)
        0 to 1.
    """
    names = [grade for grade, _ in GRADES]
    return np.asarray(
        np.select([percentile >= least for _, least in GRADES], names, default="D"), dtype=object
    )
