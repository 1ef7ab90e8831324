"""Cases of bench-quality: the later rows judge, and no label that teaches looks into them."""

import numpy as np
import pandas as pd
import pytest
from quality_case import Case, Step
from quality_cases import newest_rows
from quality_contestant import run
from quality_frames import TrainingFrame


def dated(days):
    as_of = pd.Timestamp("2024-01-01", tz="UTC") + pd.to_timedelta(days, unit="D")
    return TrainingFrame(pd.DataFrame({"as_of": as_of}), (), horizon_days=30)


def test_rows_whose_horizon_reaches_into_the_judged_ones_do_not_teach():
    step = newest_rows(dated(np.arange(200)))
    assert step == Step(train=111, first=140, last=200)  # day 110 ends with day 140's beginning


def test_all_rows_of_one_instant_are_judged_together():
    step = newest_rows(dated(np.repeat(np.arange(0, 200, 50), 50)))
    assert (step.first, step.last) == (100, 200)


def test_a_flat_table_is_cut_by_its_order_alone():
    frame = pd.DataFrame({"as_of": pd.Series([pd.NaT] * 10)})
    assert newest_rows(TrainingFrame(frame, (), horizon_days=90)) == Step(7, 7, 10)


@pytest.fixture
def case(tmp_path):
    features = [{"name": "visits", "kind": "numeric"}, {"name": "source", "kind": "category"}]
    case = Case("small", "", 30, features, [Step(4, 5, 7), Step(6, 7, 9)], tmp_path / "small")
    frame = pd.DataFrame(
        {
            "lead_id": [f"L{row}" for row in range(9)],
            "label": [True, False] * 4 + [True],
            "visits": [1, 2, None, 4, 5, 6, 7, 8, 9],
            "source": ["web", None, "mail"] * 3,
        }
    )
    case.save(frame)
    return case


def test_a_contestant_sees_no_label_of_the_rows_it_is_asked_for(case):
    taught, asked = [], []

    def fit(lesson):
        taught.append(lesson.rows["lead_id"].tolist())

        def probability(frame):
            assert "label" not in frame
            asked.append(frame["lead_id"].tolist())
            return frame["visits"] / 10

        return probability

    probability, _ = run(case, fit, seconds=10.0, seed=0)
    assert taught == [["L0", "L1", "L2", "L3"], ["L0", "L1", "L2", "L3", "L4", "L5"]]
    assert asked == [["L5", "L6"], ["L7", "L8"]]
    assert probability == pytest.approx([0.6, 0.7, 0.8, 0.9])


def test_a_case_is_read_as_it_was_saved(case):
    again = Case.load(case.folder)
    assert again == case
    assert again.fingerprint() == case.fingerprint()


def test_another_row_is_another_case(case):
    before = case.fingerprint()
    frame = case.rows()
    frame.loc[0, "visits"] = 3.0
    case.save(frame)
    assert case.fingerprint() != before
