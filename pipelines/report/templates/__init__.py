"""Page templates (data files)."""
