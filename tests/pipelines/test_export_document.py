"""The model as a document scores every lead as the model does, by plain Python alone."""

import json

import numpy as np
from exported_model import exported_decision, odd_leads
from model_from_json import score

from leadlight.pipelines.export.document import model_document


def test_a_thousand_leads_score_alike_from_the_document_alone() -> None:
    decision, leads = exported_decision(), odd_leads()
    written = json.dumps(model_document(decision), allow_nan=False)
    model = json.loads(written)
    scored = [score(model, lead) for lead in leads.to_dict("records")]
    wanted = decision.decide(leads)
    assert len(scored) == 1000
    np.testing.assert_allclose(
        [each["probability"] for each in scored], wanted["probability"], rtol=0, atol=1e-9
    )
    assert [each["grade"] for each in scored] == wanted["grade"].tolist()
    assert [each["mql"] for each in scored] == wanted["mql"].tolist()
    assert model["pairs"]
    assert model["calibration"]["knots"]
    assert {True, False} == {bool(each["lines"]) for each in model["features"]}
    assert {True, False} == {each["learned"] for each in model["features"]}
