"""What a merchant's account did in a time, with balances that add up."""
