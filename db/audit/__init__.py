"""Queries over the audit log and the tenant audit."""
