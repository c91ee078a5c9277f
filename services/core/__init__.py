"""What every rule stands on: access, errors, settings, secrets, validation, and changes with a version."""
