"""The audit log, and the tenant audit that is read from it and from what a tenant owns."""
