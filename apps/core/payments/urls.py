"""Everything under /api/v1/. Paths that the seed contract names never change."""

from django.urls import path

from payments.account_statements import api as account_statements
from payments.api_keys import api as api_keys
from payments.approvals import api as approvals
from payments.bank_statements import api as statements
from payments.idempotency.api import KeyView
from payments.ledger.api import LedgerView, MerchantLedgerView
from payments.merchants import api as merchants
from payments.pool.api import PoolView, TopUpView
from payments.repayments import api as repayments
from payments.tokens.api import RefreshView, TokenView, VerifyView
from payments.webhooks import api as webhooks
from payments.withdrawals.api import StaffWithdrawalsView, TotalsView, WithdrawalsView, WithdrawalView
from payments.withdrawals.bulk_api import BulkView

urlpatterns = [
    path("auth/token", TokenView.as_view()),
    path("auth/token/refresh", RefreshView.as_view()),
    path("auth/token/verify", VerifyView.as_view()),
    path("auth/register", merchants.RegisterView.as_view()),
    path("me", merchants.MeView.as_view()),
    path("withdrawals", WithdrawalsView.as_view()),
    path("withdrawals/bulk", BulkView.as_view()),
    path("withdrawals/totals", TotalsView.as_view()),
    path("withdrawals/<uuid:withdrawal_id>", WithdrawalView.as_view()),
    path("ledger", LedgerView.as_view()),
    path("statements", account_statements.StatementsView.as_view()),
    path("statements/<int:year>-<int:month>", account_statements.MonthView.as_view()),
    path("repayments", repayments.RepaymentsView.as_view()),
    path("idempotency-keys", KeyView.as_view()),
    path("api-keys", api_keys.ApiKeysView.as_view()),
    path("api-keys/<str:key_id>", api_keys.ApiKeyView.as_view()),
    path("api-keys/<str:key_id>/rotate", api_keys.RotateView.as_view()),
    path("webhooks", webhooks.WebhooksView.as_view()),
    path("webhooks/<uuid:endpoint_id>", webhooks.WebhookView.as_view()),
    path("webhooks/<uuid:endpoint_id>/secret", webhooks.SecretView.as_view()),
    path("webhooks/<uuid:endpoint_id>/secret/rotate", webhooks.RotateView.as_view()),
    path("webhooks/<uuid:endpoint_id>/test", webhooks.TestView.as_view()),
    path("webhooks/<uuid:endpoint_id>/deliveries", webhooks.DeliveriesView.as_view()),
    path("webhooks/<uuid:endpoint_id>/deliveries/<int:delivery_id>", webhooks.DeliveryView.as_view()),
    path("webhooks/<uuid:endpoint_id>/deliveries/<int:delivery_id>/replay", webhooks.ReplayView.as_view()),
    path("webhooks/<uuid:endpoint_id>/replay", webhooks.ReplayView.as_view()),
    path("admin/merchants", merchants.MerchantsView.as_view()),
    path("admin/merchants/<int:merchant_id>", merchants.MerchantView.as_view()),
    path("admin/merchants/<int:merchant_id>/ledger", MerchantLedgerView.as_view()),
    path("admin/merchants/<int:merchant_id>/statements", account_statements.MerchantStatementsView.as_view()),
    path("admin/approve", merchants.ApproveView.as_view()),
    path("admin/refuse", merchants.RefuseView.as_view()),
    path("admin/suspend", merchants.SuspendView.as_view()),
    path("admin/reinstate", merchants.ReinstateView.as_view()),
    path("admin/credit-limit", merchants.CreditLimitView.as_view()),
    path("admin/approvals", approvals.ApprovalsView.as_view()),
    path("admin/approvals/approve", approvals.ApproveRequestView.as_view()),
    path("admin/approvals/refuse", approvals.RefuseRequestView.as_view()),
    path("admin/bank-statements", statements.BankStatementsView.as_view()),
    path("admin/bank-statements/<uuid:statement_id>", statements.BankStatementView.as_view()),
    path("admin/bank-statements/<uuid:statement_id>/differences", statements.DifferencesView.as_view()),
    path("admin/bank-statements/<uuid:statement_id>/resolutions", statements.ResolutionsView.as_view()),
    path("admin/repayments", repayments.StaffRepaymentsView.as_view()),
    path("admin/repayments/<uuid:repayment_id>", repayments.StaffRepaymentView.as_view()),
    path("admin/repayments/<uuid:repayment_id>/reverse", repayments.ReversalView.as_view()),
    path("admin/pool", PoolView.as_view()),
    path("admin/pool/topup", TopUpView.as_view()),
    path("admin/pool/adjustments", approvals.AdjustmentsView.as_view()),
    path("admin/withdrawals", StaffWithdrawalsView.as_view()),
    path("admin/withdrawals/<uuid:withdrawal_id>/outcome", approvals.OutcomeView.as_view()),
]
