"""The environment of a training: the versions that can change a number."""

import platform
from collections.abc import Mapping
from importlib.metadata import version

_PACKAGES = (
    "leadlight",
    "numpy",
    "scipy",
    "pandas",
    "scikit-learn",
    "pyarrow",
    "duckdb",
    "mlflow",
)


def environment() -> dict[str, str]:
    """Return the version of Python and of each package that training computes with.

    Nothing of the machine or of its user is told.
    """
    return {"python": platform.python_version()} | {name: version(name) for name in _PACKAGES}


def requirements_text(versions: Mapping[str, str]) -> str:
    """Write an environment as a requirements file that pip installs.

    Parameters
    ----------
    versions : mapping of str to str
        From ``environment``.
    """
    lines = [f"# Python {versions['python']}"]
    lines += [f"{name}=={number}" for name, number in versions.items() if name != "python"]
    return "\n".join(lines) + "\n"
