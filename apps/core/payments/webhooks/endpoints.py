"""A merchant's endpoints. Functions that write run in their caller's transaction."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from django.db.models import QuerySet
from django.utils import timezone

from core.environment import ENVIRONMENT
from etebar_common.problems import NotFound, WebhookDisabled, WebhookExists, WebhookLimit
from payments.locks import lock_merchant
from payments.models import WebhookDelivery, WebhookEndpoint
from payments.webhooks import signing
from payments.webhooks.events import TEST

# what one request changes; a merchant asks again for more
REPLAYED_AT_ONCE = 10_000


def endpoints_of(merchant_id: int) -> QuerySet[WebhookEndpoint]:
    """Those that are not deleted."""
    return WebhookEndpoint.objects.filter(merchant_id=merchant_id).exclude(state=WebhookEndpoint.State.DELETED)


def endpoint_get(merchant_id: int, endpoint_id: UUID) -> WebhookEndpoint:
    """One of the merchant's; raises NotFound."""
    found = endpoints_of(merchant_id).filter(pk=endpoint_id).first()
    if found is None:
        raise NotFound(f"there is no webhook {endpoint_id}")
    return found


def endpoint_create(
    *, merchant_id: int, url: str, event_types: Sequence[str] = (), description: str = ""
) -> WebhookEndpoint:
    """An endpoint with a secret of its own; raises WebhookExists and WebhookLimit."""
    lock_merchant(merchant_id)
    _require_new(merchant_id, url)
    most = ENVIRONMENT.webhook_endpoints_per_merchant
    if endpoints_of(merchant_id).count() >= most:
        raise WebhookLimit(f"a merchant has at most {most} webhooks")
    return WebhookEndpoint.objects.create(
        merchant_id=merchant_id,
        url=url,
        event_types=sorted(set(event_types)),
        description=description,
        secret=signing.cipher().encrypt(signing.new_secret()),
    )


def endpoint_change(*, merchant_id: int, endpoint_id: UUID, **fields: Any) -> WebhookEndpoint:
    """Changes what is given of url, event_types, description and enabled; raises NotFound and WebhookExists.

    Enabled again, an endpoint gets what was pending for it at once. Its failures are forgotten then, and with its URL.
    """
    lock_merchant(merchant_id)
    endpoint = endpoint_get(merchant_id, endpoint_id)
    if fields.get("url", endpoint.url) != endpoint.url:
        _require_new(merchant_id, fields["url"])
        fields["failing_since"] = None
    if "event_types" in fields:
        fields["event_types"] = sorted(set(fields["event_types"]))
    enabled = fields.pop("enabled", None)
    if enabled is not None:
        fields |= (
            _enabled() if enabled else {"state": WebhookEndpoint.State.DISABLED, "state_reason": "by the merchant"}
        )
    if fields:
        WebhookEndpoint.objects.filter(pk=endpoint.pk).update(**fields)
    return endpoint_get(merchant_id, endpoint_id)


def endpoint_delete(*, merchant_id: int, endpoint_id: UUID) -> None:
    """Nothing is sent there any more; its log is kept as long as all logs are. Raises NotFound.

    What was pending may be much, and the merchant is locked: retention ends it.
    """
    lock_merchant(merchant_id)
    endpoint = endpoint_get(merchant_id, endpoint_id)
    WebhookEndpoint.objects.filter(pk=endpoint.pk).update(
        state=WebhookEndpoint.State.DELETED, secret="", previous_secret="", previous_until=None
    )


def secret_rotate(*, merchant_id: int, endpoint_id: UUID) -> WebhookEndpoint:
    """A new secret; the one before signs beside it for WEBHOOK_SECRET_OVERLAP_HOURS. Raises NotFound.

    Rotated again meanwhile, the one that signed before the first rotation stays until its time, and the one between
    is thrown away: whoever lost an answer and asks again takes nothing from receivers.
    """
    lock_merchant(merchant_id)
    endpoint = endpoint_get(merchant_id, endpoint_id)
    fields: dict[str, Any] = {"secret": signing.cipher().encrypt(signing.new_secret())}
    if not _has_previous(endpoint):
        until = timezone.now() + timedelta(hours=ENVIRONMENT.webhook_secret_overlap_hours)
        fields |= {"previous_secret": endpoint.secret, "previous_until": until}
    WebhookEndpoint.objects.filter(pk=endpoint.pk).update(**fields)
    return endpoint_get(merchant_id, endpoint_id)


def secrets_of(endpoint: WebhookEndpoint) -> list[str]:
    """The secrets that sign now, the newest first; raises cipher.Unreadable."""
    stored = [endpoint.secret]
    if _has_previous(endpoint):
        stored.append(endpoint.previous_secret)
    return [signing.cipher().decrypt(each) for each in stored]


def secrets_reencrypt() -> int:
    """Encrypts with the current key what is encrypted with another one; how many."""
    count = 0
    for endpoint in WebhookEndpoint.objects.exclude(state=WebhookEndpoint.State.DELETED).order_by("pk"):
        for column in ("secret", "previous_secret"):
            before = getattr(endpoint, column)
            if before and not signing.cipher().is_current(before):
                # one that was rotated meanwhile is not overwritten
                same = WebhookEndpoint.objects.filter(pk=endpoint.pk, **{column: before})
                count += same.update(**{column: signing.cipher().encrypt(signing.cipher().decrypt(before))})
    return count


def send_test(*, merchant_id: int, endpoint_id: UUID) -> WebhookDelivery:
    """An event that says nothing, to see that it comes; raises NotFound and WebhookDisabled."""
    endpoint = _get_enabled(merchant_id, endpoint_id)
    now = timezone.now()
    return WebhookDelivery.objects.create(
        endpoint=endpoint,
        event_id=f"test_{uuid4()}",
        type=TEST,
        occurred_at=now,
        created_at=now,
        next_attempt_at=now,
    )


def deliveries_replay(*, merchant_id: int, endpoint_id: UUID, delivery_id: int | None = None) -> int:
    """Has one delivery, or the first REPLAYED_AT_ONCE that are dead, sent again, with the ids they had; how many.

    Raises NotFound and WebhookDisabled.
    """
    endpoint = _get_enabled(merchant_id, endpoint_id)
    chosen = WebhookDelivery.objects.filter(endpoint=endpoint)
    if delivery_id is None:
        dead = chosen.filter(state=WebhookDelivery.State.DEAD).order_by("created_at", "pk")
        chosen = chosen.filter(pk__in=dead.values("pk")[:REPLAYED_AT_ONCE])
    else:
        chosen = chosen.filter(pk=delivery_id)
        if not chosen.exists():
            raise NotFound(f"there is no delivery {delivery_id} of the webhook {endpoint_id}")
    # one that is pending comes anyway
    finished = chosen.exclude(state=WebhookDelivery.State.PENDING)
    return finished.update(
        state=WebhookDelivery.State.PENDING, attempts=0, finished_at=None, next_attempt_at=timezone.now()
    )


def _has_previous(endpoint: WebhookEndpoint) -> bool:
    return endpoint.previous_until is not None and endpoint.previous_until > timezone.now()


def _get_enabled(merchant_id: int, endpoint_id: UUID) -> WebhookEndpoint:
    endpoint = endpoint_get(merchant_id, endpoint_id)
    if endpoint.state != WebhookEndpoint.State.ENABLED:
        raise WebhookDisabled(f"nothing is sent to the webhook {endpoint_id}: {endpoint.state_reason}")
    return endpoint


def _enabled() -> dict[str, Any]:
    return {"state": WebhookEndpoint.State.ENABLED, "state_reason": "", "failing_since": None}


def _require_new(merchant_id: int, url: str) -> None:
    same = endpoints_of(merchant_id).filter(url=url).first()
    if same is not None:
        raise WebhookExists("there is a webhook to this URL", extensions={"webhook_id": str(same.pk)})
