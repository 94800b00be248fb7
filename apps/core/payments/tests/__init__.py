"""Core's tests, on a real PostgreSQL and a real settlement service."""
