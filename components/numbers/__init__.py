"""The list of numbers, a number's page, and adding numbers."""
