"""Data, time, and the meaning of columns."""
