"""Work on many things at once: jobs, and imports by file."""
