"""Python environments of peers whose pins collide with leadlight's, or that it does not need."""

import json
import subprocess
import sys
import venv
from pathlib import Path

_FRAMES = ("numpy==2.4.6", "pandas==3.1.1", "pyarrow==26.0.1")
_LEARNING = (*_FRAMES, "scikit-learn==1.9.1")
REQUIREMENTS = {
    "polars": ("polars",),
    # featuretools 1.31 installs beside pandas 3 but does not run with it.
    "featuretools": ("featuretools==1.31.0", "pandas<3", "pyarrow"),
    "lightgbm": ("lightgbm==4.7.0", *_LEARNING),
    "catboost": ("catboost==1.2.10", *_FRAMES),
    "ebm": ("interpret-core==0.7.8", *_LEARNING),
    "shap": ("shap==0.51.0", *_LEARNING),
    "xgboost": ("xgboost-cpu==3.2.0", *_LEARNING),
    # Both import names that pandas 3 has no more; NannyML does not name statsmodels, but needs it.
    "evidently": ("evidently==0.7.23", "pandas==2.3.3", "pyarrow==26.0.1"),
    "nannyml": ("nannyml==0.13.1", "pandas==2.3.3", "pyarrow==26.0.1", "statsmodels==0.15.0"),
    # FLAML 2.7 caps xgboost below 3.
    "flaml": ("flaml[automl]==2.7.0", "catboost==1.2.10", "xgboost==2.1.4", *_LEARNING),
    # AutoGluon 1.6 caps pandas below 3; its neural networks need torch.
    "autogluon": ("autogluon.tabular[lightgbm,catboost,xgboost]==1.6.3", "torch==2.13.0"),
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
    wanted = json.dumps(REQUIREMENTS[peer])
    installed = home / "installed.json"
    if not installed.exists() or installed.read_text() != wanted:
        venv.create(home, with_pip=True, clear=True)
        install = [str(python), "-m", "pip", "install", "--quiet", "--no-input"]
        subprocess.run([*install, *REQUIREMENTS[peer]], check=True, capture_output=True)
        installed.write_text(wanted)
    return str(python)
