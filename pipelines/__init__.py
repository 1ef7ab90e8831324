"""Jobs, files, services and people."""
