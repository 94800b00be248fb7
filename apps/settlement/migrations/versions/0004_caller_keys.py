"""A payout keeps the Idempotency-Key of the request that it comes from, by which core's key can be restored."""

from alembic import op

revision = "0004"
down_revision = "0003"

# NOT VALID: every row before has null, so that none need be read while nobody else may write.
UPGRADE = """
ALTER TABLE payouts
    ADD COLUMN idempotency_key text,
    ADD CONSTRAINT payouts_idempotency_key_length CHECK (length(idempotency_key) BETWEEN 1 AND 255) NOT VALID;
"""

DOWNGRADE = """
ALTER TABLE payouts DROP COLUMN idempotency_key;
"""


def upgrade() -> None:
    op.execute(UPGRADE)


def downgrade() -> None:
    op.execute(DOWNGRADE)
