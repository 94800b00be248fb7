"""The tables of the app `payments`, one subject a file."""

from payments.models.api_key import ApiKey
from payments.models.approval import ApprovalRequest, OutcomeDecision
from payments.models.audit import AuditEntry
from payments.models.bank_statement import BankStatement, BankStatementLine, StatementResolution
from payments.models.books import BooksCheck
from payments.models.credit import POOL_ID, CreditPool, MerchantCredit, PoolAdjustment, PoolTopUp
from payments.models.idempotency import IdempotencyKey
from payments.models.ledger import LedgerEntry
from payments.models.managed import ManagedMerchant
from payments.models.merchant import Merchant, WalletAccount
from payments.models.repayment import Repayment, RepaymentReversal
from payments.models.request_log import ApiRequestLog
from payments.models.webhook import WebhookAttempt, WebhookDelivery, WebhookEndpoint
from payments.models.withdrawal import DispatchAttempt, Withdrawal

__all__ = [
    "POOL_ID",
    "ApiKey",
    "ApiRequestLog",
    "ApprovalRequest",
    "AuditEntry",
    "BankStatement",
    "BankStatementLine",
    "BooksCheck",
    "CreditPool",
    "DispatchAttempt",
    "IdempotencyKey",
    "LedgerEntry",
    "ManagedMerchant",
    "Merchant",
    "MerchantCredit",
    "OutcomeDecision",
    "PoolAdjustment",
    "PoolTopUp",
    "Repayment",
    "RepaymentReversal",
    "StatementResolution",
    "WalletAccount",
    "WebhookAttempt",
    "WebhookDelivery",
    "WebhookEndpoint",
    "Withdrawal",
]
