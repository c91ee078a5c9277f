"""What every service builds on: access, errors, settings, secrets, validation, versioned changes."""
