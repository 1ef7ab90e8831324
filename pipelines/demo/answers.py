"""What only the world's maker knows, as tables for tests and notebooks."""

from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from .columns import pick, times, used
from .names import Ids
from .people import Leads
from .rhythm import STEP, Clock
from .truth import Truth


def truth_tables(clock: Clock, leads: Leads, ids: Ids, truth: Truth) -> Mapping[str, pa.Table]:
    """truth/*.parquet: what only the world's maker knows."""
    order = np.lexsort((truth.lead, truth.step))
    latent = truth.latent_probability[order]
    snapshots = pa.table(
        {
            "lead_id": used(ids.lead_texts, truth.lead[order]),
            "as_of": times(clock, truth.step[order] * STEP),
            "probability": truth.probability[order],
            "latent_probability": pa.array(latent, mask=np.isnan(latent)),
            "converted": pa.array(truth.converted[order] == 1, mask=truth.converted[order] < 0),
        }
    )
    people = pa.table(
        {
            "lead_id": ids.lead_texts,
            "style": pick(("silent", "usual", "loud", "student"), leads.style),
            "fit": leads.fit,
            "need": leads.need,
        }
    )
    return {"truth/snapshots.parquet": snapshots, "truth/leads.parquet": people}
