"""The rules: who may do what, to which tenant's things, in one transaction with its audit row."""
