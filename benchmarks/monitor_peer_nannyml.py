"""NannyML: univariate drift by its defaults, each earlier night a chunk of the reference."""

import warnings

import nannyml
import pandas as pd


def drifted(reference: pd.DataFrame, current: pd.DataFrame) -> list[str]:
    # Few chunks are what there is: one for each night.
    warnings.filterwarnings("ignore", message="The resulting number of chunks is too low")
    reference, current = (
        frame.assign(as_of=frame["as_of"].dt.tz_convert(None)) for frame in (reference, current)
    )
    columns = [column for column in reference if column != "as_of"]
    words = [
        column
        for column in columns
        if not pd.api.types.is_numeric_dtype(reference[column])
        or pd.api.types.is_bool_dtype(reference[column])
    ]
    calculator = nannyml.UnivariateDriftCalculator(
        column_names=columns,
        treat_as_categorical=words,
        timestamp_column_name="as_of",
        chunk_period="D",
    )
    told = calculator.fit(reference).calculate(current).filter(period="analysis").to_df()
    return [column for column in columns if told[column]["jensen_shannon"]["alert"].any()]
