"""The card of a lead: its score, why, how sure, what changed, and what would lift it."""
