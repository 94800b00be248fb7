"""What a list of withdrawals costs the database, and how that grows with merchants and with rows."""
