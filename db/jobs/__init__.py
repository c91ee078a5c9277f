"""Queries over the processes of the installation."""
