"""Phone numbers on record: found, changed, registered by hand or by file."""
