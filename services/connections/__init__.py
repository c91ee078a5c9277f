"""Telephony connections: accounts at providers, their credentials, and requests through them."""
