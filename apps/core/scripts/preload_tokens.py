"""manage.py shell < scripts/preload_tokens.py: access tokens into the Redis list that the load test reads."""

from payments.sandbox.services import preload_from_environment, preload_tokens

preload_tokens(preload_from_environment())
