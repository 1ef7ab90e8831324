"""Where raw tables come from: a source is a description; reading it is the engine's work."""

from .source import Source

__all__ = ["Source"]
