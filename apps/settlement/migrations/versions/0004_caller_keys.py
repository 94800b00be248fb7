"""A payout keeps the Idempotency-Key of the request that it comes from, by which core's key can be restored."""

from alembic import op

revision = "0004"
down_revision = "0003"

UPGRADE = """
ALTER TABLE payouts ADD COLUMN idempotency_key text CHECK (length(idempotency_key) BETWEEN 1 AND 255);
"""

DOWNGRADE = """
ALTER TABLE payouts DROP COLUMN idempotency_key;
"""


def upgrade() -> None:
    op.execute(UPGRADE)


def downgrade() -> None:
    op.execute(DOWNGRADE)
