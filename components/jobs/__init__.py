"""Work on many numbers."""
