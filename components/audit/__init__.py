"""Activity, history and the tenant audit."""
