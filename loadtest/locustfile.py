"""Merchants who withdraw, with tokens from Redis (scripts/preload_tokens.py); docs/how-to/load-testing.md.

Variables: N_TOKENS, REDIS_URL, TARGET_HOST, TOKENS_KEY, WITHDRAW_AMOUNT, TRAFFIC (seed, the default, or another mix),
LOADTEST_METRICS_PORT. For example:

    export TARGET_HOST=http://127.0.0.1:8000
    locust -f loadtest/locustfile.py --headless --users 500 --spawn-rate 50 --run-time 2m
"""

import importlib
import os

from traffic import exporter

__all__ = ["exporter"]

MIXES = ("seed", "mixed", "retries", "hang_ups", "bursts", "bulk")
TRAFFIC = os.environ.get("TRAFFIC") or "seed"

if TRAFFIC not in MIXES:
    raise SystemExit(f"TRAFFIC={TRAFFIC} is not known here; known are: {', '.join(MIXES)}")

# locust takes every class of users that it finds in this module
globals().update({each.__name__: each for each in importlib.import_module(f"traffic.{TRAFFIC}").EXPOSED})
