"""The one registry of errors: facts with a stable code, and their RFC 9457 form.

Core and settlement raise these; each maps them to HTTP in one place. docs/errors.md is generated from `registry()`.
"""

from typing import Any, ClassVar

MEDIA_TYPE = "application/problem+json"
TYPE_BASE = "https://etebar.dev/errors#"


class Problem(Exception):  # noqa: N818 - named as RFC 9457 names it; subclasses are facts
    """An answer other than success.

    `detail` says what was wrong and what was expected; `extensions` are further members of the JSON object
    (for example `errors`, a list of `{"field", "detail"}`); `headers` are sent with the answer.
    """

    status: ClassVar[int]
    code: ClassVar[str]
    title: ClassVar[str]
    remedy: ClassVar[str]

    def __init__(
        self, detail: str = "", *, extensions: dict[str, Any] | None = None, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(detail or self.title)
        self.detail = detail
        self.extensions = extensions or {}
        self.headers = headers or {}

    def body(self) -> dict[str, Any]:
        """The problem object (RFC 9457, section 3)."""
        members: dict[str, Any] = {
            "type": TYPE_BASE + self.code,
            "title": self.title,
            "status": self.status,
            "code": self.code,
        }
        if self.detail:
            members["detail"] = self.detail
        return members | self.extensions


class MalformedRequest(Problem):
    status, code, title = 400, "malformed_request", "The request cannot be read"
    remedy = "Send valid JSON in UTF-8 with Content-Type application/json."


class IdempotencyKeyMissing(Problem):
    status, code, title = 400, "idempotency_key_missing", "The Idempotency-Key header is missing"
    remedy = "Send a new random key for each new withdrawal and the same key when you repeat one."


class IdempotencyKeyInvalid(Problem):
    status, code, title = 400, "idempotency_key_invalid", "The Idempotency-Key header is not a key"
    remedy = "Send 1 to 255 printable ASCII characters, bare or as a quoted structured-field string (RFC 8941)."


class NotAuthenticated(Problem):
    status, code, title = 401, "not_authenticated", "Who you are is not known"
    remedy = "Send `Authorization: Bearer` with an access token from POST /api/v1/auth/token."


class TokenInvalid(Problem):
    status, code, title = 401, "token_invalid", "The token is expired, revoked or not ours"
    remedy = "Get a new one from POST /api/v1/auth/token or /api/v1/auth/token/refresh."


class CredentialsInvalid(Problem):
    status, code, title = 401, "credentials_invalid", "Username and password do not fit"
    remedy = "Check both. An account that was deactivated is answered the same way."


class OtpNeeded(Problem):
    status, code, title = 401, "otp_needed", "A code of the second factor is needed"
    remedy = "Send `otp` as well. An account without a second factor is enrolled by `manage.py staff totp NAME`."


class OtpInvalid(Problem):
    status, code, title = 401, "otp_invalid", "The code is wrong, expired or used"
    remedy = "Send the next one: each is good once, for about a minute."


class InternalTokenMissing(Problem):
    status, code, title = 401, "internal_token_missing", "The X-Internal-Token header is missing"
    remedy = "Settlement answers core only. Core sends the token by itself."


class InternalTokenWrong(Problem):
    status, code, title = 403, "internal_token_wrong", "The X-Internal-Token is not one of the valid ones"
    remedy = "Give core and settlement the same token; during a rotation settlement accepts two."


class PermissionDenied(Problem):
    status, code, title = 403, "permission_denied", "You may not do this"
    remedy = "Use an account with the right for it: staff for /api/v1/admin, a merchant for withdrawals."


class ScopeMissing(Problem):
    status, code, title = 403, "scope_missing", "The API key is not for this"
    remedy = "Use a key with the scope that `scope` names, or log in: keys and accounts are managed by people alone."


class NotFound(Problem):
    status, code, title = 404, "not_found", "There is nothing at this address"
    remedy = "Check the path and the id. What belongs to another merchant is answered the same way."


class CursorInvalid(Problem):
    status, code, title = 404, "cursor_invalid", "The cursor is not one of ours"
    remedy = "Follow the `next` link of the list as it was given, or start again without a cursor."


class IdempotencyKeyUnknown(Problem):
    status, code, title = 404, "idempotency_key_unknown", "No request with this key has left a trace"
    remedy = "Send the request (again) with this key: it will run."


class MethodNotAllowed(Problem):
    status, code, title = 405, "method_not_allowed", "This address does not take this method"
    remedy = "Use one of the methods in the Allow header."


class NotAcceptable(Problem):
    status, code, title = 406, "not_acceptable", "None of the accepted media types can be given"
    remedy = "Accept application/json."


class RequestTooSlow(Problem):
    status, code, title = 408, "request_too_slow", "The request's body did not come in time"
    remedy = "Nothing was done. Send it again, whole; with the same Idempotency-Key."


class InsufficientCredit(Problem):
    status, code, title = 409, "insufficient_credit", "The amount is more than the merchant's available credit"
    remedy = "Withdraw no more than `available`, or ask for a higher limit; use a new key."


class InsufficientPool(Problem):
    status, code, title = 409, "insufficient_pool", "The shared credit pool cannot cover the amount now"
    remedy = "Nothing was reserved. Try again later with a new key."


class StatementTooLong(Problem):
    status, code, title = 422, "statement_too_long", "The statement has too many entries for one answer"
    remedy = "Ask for fewer days, or for the file: `form=csv`."


class RepaymentExceedsDebt(Problem):
    status, code, title = 409, "repayment_exceeds_debt", "The repayment is more than the merchant owes"
    remedy = "At most `owed` can be recorded: what is pending may still fail and is given back by itself."


class RepaymentConflict(Problem):
    status, code, title = 409, "repayment_conflict", "The reference is that of another repayment"
    remedy = "See `repayment_id`: one reference is one payment, of one merchant and one amount."


class RepaymentReversed(Problem):
    status, code, title = 409, "repayment_reversed", "The repayment was reversed before"
    remedy = "Nothing is left to take back. To record the payment anew, name the reversed `repayment_id` in `replaces`."


class MerchantNotActive(Problem):
    status, code, title = 409, "merchant_not_active", "The merchant is not approved, or is suspended"
    remedy = "Wait for approval or reinstatement, then use a new key."


class PayoutFailed(Problem):
    status, code, title = 409, "payout_failed", "The bank refused the payout; the funds were released"
    remedy = "See `withdrawal.failure_code`; correct the cause and use a new key."


class RequestInProgress(Problem):
    status, code, title = 409, "request_in_progress", "A request with this key is running"
    remedy = "Repeat it after Retry-After seconds with the same key."


class UsernameTaken(Problem):
    status, code, title = 409, "username_taken", "The username is taken"
    remedy = "Choose another."


class MerchantStateConflict(Problem):
    status, code, title = 409, "merchant_state_conflict", "The merchant's state does not allow this"
    remedy = (
        "See `state`. pending can be approved or refused, approved suspended, suspended reinstated; closed is final."
    )


class MerchantClosed(Problem):
    status, code, title = 409, "merchant_closed", "The merchant is closed for good"
    remedy = "A closed merchant does not come back. Register another username."


class VersionStale(Problem):
    status, code, title = 409, "version_stale", "A newer version of this object was seen already"
    remedy = "Nothing was changed. Send the object as it is now."


class CredentialsStale(Problem):
    status, code, title = 409, "credentials_stale", "Newer credentials of this object were seen already"
    remedy = "Nothing was changed. Send the newest; `credentials_version` is the one in force."


class TopUpConflict(Problem):
    status, code, title = 409, "top_up_conflict", "This reference topped the pool up with another amount"
    remedy = "`applied_amount` says with which. Another top-up needs another reference."


class SecondPersonNeeded(Problem):
    status, code, title = 409, "second_person_needed", "Another person must decide"
    remedy = "Have another member of staff decide, whose account is older than the request; or ask for it anew."


class ApprovalDecided(Problem):
    status, code, title = 409, "approval_decided", "This request is decided, or withdrawn"
    remedy = "See `state`. Ask again when it is still wanted."


class WithdrawalStateConflict(Problem):
    status, code, title = 409, "withdrawal_state_conflict", "The withdrawal's state does not allow this"
    remedy = "See `state`. People decide only what is pending and flagged (`overdue=true`), and only once."


class NoDifference(Problem):
    status, code, title = 409, "no_difference", "There is no such difference, or it is resolved"
    remedy = "List the differences of the statement: what is matched by now needs nothing."


class OperatorTokenWrong(Problem):
    status, code, title = 401, "operator_token_wrong", "The operator's token is missing or not one of the valid ones"
    remedy = "Give core and operator the same token; during a rotation core accepts two."


class BulkAborted(Problem):
    status, code, title = 409, "bulk_aborted", "One of the withdrawals was refused, so none was made"
    remedy = "`results` says of each why. Nothing was stored: correct it and send all again, with the same keys."


class PayoutConflict(Problem):
    status, code, title = 409, "payout_conflict", "This withdrawal id is known with other content; nothing was paid"
    remedy = "A withdrawal id stands for one amount and one account for ever. Staff must look at it."


class ApiKeyLimit(Problem):
    status, code, title = 409, "api_key_limit", "There are as many API keys as a merchant may have"
    remedy = "Revoke one that `last_used_at` says nobody uses."


class WebhookExists(Problem):
    status, code, title = 409, "webhook_exists", "There is a webhook to this URL"
    remedy = "Use the one of `webhook_id`, or change it with PATCH."


class WebhookDisabled(Problem):
    status, code, title = 409, "webhook_disabled", "The webhook is disabled"
    remedy = 'Enable it with PATCH and `{"enabled": true}`; what was pending comes then.'


class WebhookLimit(Problem):
    status, code, title = 409, "webhook_limit", "There are as many webhooks as a merchant may have"
    remedy = "Delete one, or have one receive all event types."


class BodyTooLarge(Problem):
    status, code, title = 413, "body_too_large", "The body is too large"
    remedy = "Send less, or in parts."


class UnsupportedMediaType(Problem):
    status, code, title = 415, "unsupported_media_type", "The body's media type is not understood"
    remedy = "Send Content-Type application/json."


class ValidationFailed(Problem):
    status, code, title = 422, "validation_failed", "Some fields are not right"
    remedy = "Each member of `errors` names a field and says what was expected."


class BankStatementInvalid(Problem):
    status, code, title = 422, "bank_statement_invalid", "The bank statement cannot be read; nothing was imported"
    remedy = "Each member of `errors` names a line or an element, and what was expected. Import a corrected file."


class IdempotencyKeyReused(Problem):
    status, code, title = 422, "idempotency_key_reused", "This key was used for another request"
    remedy = "Use a new key for a new request. `differs` names what differs."


class AbortedWithOthers(Problem):
    status, code, title = 424, "aborted_with_others", "This withdrawal was not made because another one was refused"
    remedy = "Only in `results` of `bulk_aborted`. Its key is free."


class RateLimited(Problem):
    status, code, title = 429, "rate_limited", "Too many requests"
    remedy = "Wait Retry-After seconds. The RateLimit headers (IETF draft) tell what is left."


class InternalError(Problem):
    status, code, title = 500, "internal_error", "Something is wrong on our side"
    remedy = "Repeat a POST only with the same Idempotency-Key. Tell us the X-Request-ID."


class DatabaseUnavailable(Problem):
    status, code, title = 503, "database_unavailable", "The database cannot be reached"
    remedy = "Repeat after Retry-After seconds with the same Idempotency-Key."


class LogInsBusy(Problem):
    status, code, title = 503, "log_ins_busy", "Too many passwords are being looked at"
    remedy = "Repeat after Retry-After seconds. Tokens that are there work all the while."


class NotReady(Problem):
    status, code, title = 503, "not_ready", "The service is not ready"
    remedy = "Wait. `detail` says what it waits for, as a migration that has not run."


def registry() -> list[type[Problem]]:
    """Every registered problem, by status and code."""
    return sorted(Problem.__subclasses__(), key=lambda problem: (problem.status, problem.code))
