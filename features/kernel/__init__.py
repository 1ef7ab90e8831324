"""Point-in-time features as pure NumPy over time-sorted arrays."""

from .behaviour import MICROSECONDS_PER_DAY, Behaviour, Events, Instants, behaviour

__all__ = ["MICROSECONDS_PER_DAY", "Behaviour", "Events", "Instants", "behaviour"]
