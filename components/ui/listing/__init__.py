"""A list of things: what it declares (columns, filters, sorts, downloads), and how that is drawn."""
