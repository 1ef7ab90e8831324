"""What changed, told in whole points that agree with the card's heading."""

import math
import re
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from leadlight.features.wording import ENGLISH
from leadlight.models.score_change import StagedScores, split_change
from leadlight.pipelines.card.words import change_sentences

POINTS = st.floats(0, 100)


@given(staged=st.builds(StagedScores, *[POINTS] * 6))
def test_points_then_points_now_and_what_lies_between_add_up(staged: StagedScores) -> None:
    change = split_change(staged, threshold_before=60.0, threshold_after=60.0)
    heading, *causes = change_sentences(ENGLISH, change, datetime(2026, 1, 31, tzinfo=UTC))
    before, after = map(int, re.findall(r"(\d+) (?:points then|now)", heading))
    assert before == math.floor(change.before + 0.5)
    assert after == math.floor(change.after + 0.5)
    moved = [int(points) for cause in causes for points in re.findall(r"[+-]\d+", cause)]
    assert before + sum(moved) == after
