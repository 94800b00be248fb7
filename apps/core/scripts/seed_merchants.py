"""Seeds a sandbox: manage.py shell < scripts/seed_merchants.py.

1000 merchants (m1, m2, ...; password p), limit 1000.00, pool 5000000.00.
"""

from payments.sandbox.services import Seed, seed_sandbox

seed_sandbox(Seed())
