"""Telephony connections, and the choice of one."""
