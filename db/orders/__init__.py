"""Queries over orders and reconcile."""
