"""Pages for people: summaries, templates, charts."""
