"""API keys: made, replaced and revoked by the merchant, who logged in by password."""
