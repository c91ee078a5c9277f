"""Orders to providers: purchases, imports, releases, webhooks; also re-sync and reconcile."""
