"""Merchants, credit, pool, withdrawals and ledger: a package per noun, the same file names in each."""
