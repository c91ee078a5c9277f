"""Long work without a page: `python -m services.jobs` does jobs, on PostgreSQL; `reconcile` compares an account."""

import sys

from services.jobs.commands import main

sys.exit(main())
