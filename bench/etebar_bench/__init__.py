"""`make bench`: withdrawals per second, beside the database's own floor, with the books compared after every row."""
