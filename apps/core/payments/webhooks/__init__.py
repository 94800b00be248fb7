"""Webhooks: merchants hear of their withdrawals (docs/adr/0033)."""
