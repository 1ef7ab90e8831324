"""Where scores go: files, databases, CRMs."""

from .csv import write_csv

__all__ = ["write_csv"]
