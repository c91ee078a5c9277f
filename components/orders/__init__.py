"""Buying and importing, open orders, reconcile."""
