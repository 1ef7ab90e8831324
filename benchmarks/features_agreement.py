"""Whether a peer's features are leadlight's: compared row by row, in DuckDB."""

from pathlib import Path

import duckdb

TOLERANCE = 1e-9
EQUAL = "equal"
_KEYS = {"lead_id", "account_id", "as_of", "label", "position"}


def agreement(ours: Path, theirs: Path, *, every: int = 1) -> str:
    """Say "equal", or where the largest difference is.

    Parameters
    ----------
    ours, theirs : Path
        Folders of Parquet files.
    every : int
        Compare one column in so many.
    """
    ours_sql, theirs_sql = (f"read_parquet('{folder}/*.parquet')" for folder in (ours, theirs))
    with duckdb.connect(config={"memory_limit": "3GB", "temp_directory": str(ours.parent)}) as db:
        db.execute("SET TimeZone = 'UTC'")
        described = db.execute(f"DESCRIBE FROM {ours_sql}").fetchall()
        types = {name: kind for name, kind, *_ in described}
        known = {name for name, *_ in db.execute(f"DESCRIBE FROM {theirs_sql}").fetchall()}
        names = [name for name in types if name in known and name not in _KEYS][::every]
        differences = ", ".join(_difference(name, types[name]) for name in names)
        rows, *found = db.execute(
            f"SELECT count(*), {differences} FROM {ours_sql} o"
            f" JOIN {theirs_sql} t USING (lead_id, as_of)"
        ).fetchone() or (0,)
        ((expected,),) = db.execute(f"SELECT count(*) FROM {ours_sql}").fetchall()
    if rows != expected:
        return f"{rows:,} of {expected:,} rows"
    worst, name = max(zip(found, names, strict=True))
    if worst > TOLERANCE:
        return f"{name} differs by {worst:.3g}"
    return f"{EQUAL} ({len(names)} columns)"


def _difference(name: str, kind: str) -> str:
    """SQL for the largest relative difference; infinity where only one of them has a value."""
    if kind == "VARCHAR":
        differs = f"o.{name} IS DISTINCT FROM t.{name}"
        return f"max(CASE WHEN {differs} THEN 'inf'::DOUBLE ELSE 0 END)"
    ours, theirs = (
        f"CASE WHEN isnan({of}.{name}::DOUBLE) THEN NULL ELSE {of}.{name}::DOUBLE END"
        for of in "ot"
    )
    return (
        f"max(CASE WHEN ({ours}) IS NULL AND ({theirs}) IS NULL THEN 0 ELSE coalesce("
        f"abs(({ours}) - ({theirs})) / greatest(1, abs({ours})), 'inf'::DOUBLE) END)"
    )
