"""Phone numbers: search, changes, registration by form or file."""
