"""Telephony connections: accounts at providers, their credentials, and asking a provider through one."""
