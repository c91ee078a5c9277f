"""Background work: workflows, the installation's processes, and health checks."""
