"""A payout keeps what its outcome was decided by, when people decided it."""

from alembic import op

revision = "0003"
down_revision = "0002"

# `evidence` is core's reference of the decision. What was decided keeps it: payouts_stay_decided refuses every change.
# NOT VALID: every row before has null, so that none need be read while nobody else may write.
UPGRADE = """
ALTER TABLE payouts
    ADD COLUMN evidence text,
    ADD CONSTRAINT payouts_evidence_of_decided CHECK (evidence IS NULL OR state <> 'pending') NOT VALID;
GRANT UPDATE (evidence) ON payouts TO settlement_app;
"""

DOWNGRADE = """
ALTER TABLE payouts DROP COLUMN evidence;
"""


def upgrade() -> None:
    op.execute(UPGRADE)


def downgrade() -> None:
    op.execute(DOWNGRADE)
