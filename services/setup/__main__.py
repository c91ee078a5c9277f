"""The commands of an installation: `python -m services.setup create-superadmin NAME`, `rotate-key`."""

import sys

from services.setup.commands import main

sys.exit(main())
