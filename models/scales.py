"""Scales: numbers as the models see them."""

import numpy as np

from .encoding import FloatArray


def signed_log(values: FloatArray) -> FloatArray:
    """Return sign(x) log(1 + |x|): tames skewed counts, keeps zero, order and missing values."""
    return np.copysign(np.log1p(np.abs(values)), values)
