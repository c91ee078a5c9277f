"""Queries over campaign health."""
