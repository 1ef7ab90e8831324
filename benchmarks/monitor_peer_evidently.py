"""Evidently: its preset for data drift, with the tests that it chooses by itself."""

import pandas as pd
from evidently import DataDefinition, Dataset, Report
from evidently.presets import DataDriftPreset


def drifted(reference: pd.DataFrame, current: pd.DataFrame) -> list[str]:
    columns = [column for column in reference if column != "as_of"]
    numbers = [
        column
        for column in columns
        if pd.api.types.is_numeric_dtype(reference[column])
        and not pd.api.types.is_bool_dtype(reference[column])
    ]
    definition = DataDefinition(
        numerical_columns=numbers,
        categorical_columns=[column for column in columns if column not in numbers],
    )
    now, before = (
        Dataset.from_pandas(frame[columns], data_definition=definition)
        for frame in (current, reference)
    )
    told = Report([DataDriftPreset()], include_tests=True).run(now, before).dict()["tests"]
    return [
        test["metric_config"]["params"]["column"]
        for test in told
        if test["id"] == "drift" and test["status"].value == "FAIL"
    ]
