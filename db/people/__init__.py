"""Queries over tenants, users and API keys."""
