"""Tenants, users, sign-in and API keys."""
