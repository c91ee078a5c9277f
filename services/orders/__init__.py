"""What is asked of a provider: purchases, imports, releases, webhooks, re-sync and reconcile."""
