"""What events there are, and what a receiver is sent of one: the same bytes however often."""

from payments.answers import json_text, timestamp
from payments.models import WebhookDelivery, Withdrawal
from payments.withdrawals.representation import members_of, pending_members

TEST = "webhook.test"
OF_WITHDRAWALS = tuple(f"withdrawal.{state}" for state in Withdrawal.State.values)
TYPES = (*OF_WITHDRAWALS, TEST)


def body_of(delivery: WebhookDelivery) -> bytes:
    """The message of a delivery, loaded with its withdrawal: as it was when it happened, so that it never changes."""
    withdrawal = delivery.withdrawal
    if withdrawal is None:
        data = {"webhook_id": str(delivery.endpoint_id)}
    elif delivery.type == f"withdrawal.{Withdrawal.State.PENDING}":
        data = pending_members(withdrawal.id, withdrawal.amount, withdrawal.created_at)
    else:
        data = members_of(withdrawal)
    message = {"type": delivery.type, "timestamp": timestamp(delivery.occurred_at), "data": data}
    return json_text(message).encode()
