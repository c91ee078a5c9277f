"""Queries over phone numbers."""
