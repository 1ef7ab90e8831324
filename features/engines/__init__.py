"""What executes: engines feed the kernel and run the SQL that builders return."""

from .duckdb import DuckDBEngine

__all__ = ["DuckDBEngine"]
