"""Campaigns: their pools of numbers, changed one by one or many at once."""
