"""Campaign health and number health."""
