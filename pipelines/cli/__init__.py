"""The command line: the only room that prints."""

import warnings

# Each module adds its commands to the application, in the order of ``leadlight --help``.
from . import (
    delivery,
    exporting,
    jobs,
    leads,
    monitoring,
    policy,
    retraining,
    serve,
    versions,
)
from .console import INTERRUPTED, app

__all__ = [
    "INTERRUPTED",
    "app",
    "delivery",
    "exporting",
    "jobs",
    "leads",
    "main",
    "monitoring",
    "policy",
    "retraining",
    "serve",
    "versions",
]


def main() -> None:
    """Run the command line."""
    # What libraries warn of is for developers; what a user should know is said in words.
    warnings.simplefilter("ignore")
    app()
