"""Where raw tables come from: a source is a description; reading it is the engine's work."""

from .source import Source
from .staging import Stage, StagedFile, StagedSource

__all__ = ["Source", "Stage", "StagedFile", "StagedSource"]
