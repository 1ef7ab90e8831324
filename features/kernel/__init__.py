"""Point-in-time features as pure NumPy over time-sorted arrays."""
