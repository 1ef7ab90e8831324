"""Python environments of peers whose pins collide with leadlight's, or that it does not need."""

import subprocess
import sys
import venv
from pathlib import Path

# featuretools 1.31 installs beside pandas 3 but does not run with it.
REQUIREMENTS = {
    "polars": ("polars",),
    "featuretools": ("featuretools==1.31.0", "pandas<3", "pyarrow"),
}


def python_of(peer: str, folder: Path) -> str:
    """Return the Python that runs a peer, in an environment of its own where it needs one.

    Raises
    ------
    subprocess.CalledProcessError
        The packages cannot be installed.
    """
    if peer not in REQUIREMENTS:
        return sys.executable
    home = folder / peer
    python = home / "bin" / "python"
    if not python.exists():
        venv.create(home, with_pip=True)
        install = [str(python), "-m", "pip", "install", "--quiet", "--no-input"]
        subprocess.run([*install, *REQUIREMENTS[peer]], check=True, capture_output=True)
    return str(python)
