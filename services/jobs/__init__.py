"""Background work: workflows, the installation's processes, health checks, and imports by file."""
