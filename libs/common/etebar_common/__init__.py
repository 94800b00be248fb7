"""What core and settlement must agree on, and nothing else: no framework, no database."""
