"""Scores as a spreadsheet."""

from pathlib import Path
from typing import Any

import pyarrow as pa

from leadlight.features.errors import DeliveryError, MissingExtraError
from leadlight.features.publication import published_file

from .csv import spreadsheet_cell

_MOST_ROWS = 1_048_575


def write_xlsx(table: pa.Table, path: Path) -> None:
    """Write a table as one sheet, all or nothing; no text of it can run as a formula.

    Parameters
    ----------
    table : pyarrow.Table
    path : Path

    Raises
    ------
    MissingExtraError
        openpyxl is not installed.
    DeliveryError
        A sheet cannot hold so many rows.
    """
    try:
        from openpyxl import Workbook  # noqa: PLC0415 - of an extra
        from openpyxl.cell import WriteOnlyCell  # noqa: PLC0415
        from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE  # noqa: PLC0415
    except ImportError as error:
        raise MissingExtraError(
            "XLSX files need openpyxl", hint="pip install 'leadlight[xlsx]'"
        ) from error
    if table.num_rows > _MOST_ROWS:
        raise DeliveryError(
            f"{path}: a sheet holds {_MOST_ROWS:,} leads, and there are {table.num_rows:,}",
            hint="Use `kind: csv` or `kind: parquet`.",
        )
    book = Workbook(write_only=True)
    sheet = book.create_sheet("leads")
    sheet.freeze_panes = "A2"

    def cell(value: Any) -> Any:
        value = spreadsheet_cell(value)
        if not isinstance(value, str):
            return value
        text = WriteOnlyCell(sheet, ILLEGAL_CHARACTERS_RE.sub("", value))
        # A text that looks like a formula or a number stays a text.
        text.data_type = "s"
        return text

    sheet.append([cell(name) for name in table.column_names])
    for batch in table.to_batches(max_chunksize=10_000):
        for row in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            sheet.append([cell(value) for value in row])
    with published_file(path) as partial:
        book.save(str(partial))
