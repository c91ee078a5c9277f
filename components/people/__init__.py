"""Users, tenants, settings, sign-in, the own account, API keys."""
