"""Chart specifications (data files)."""
