"""What Django's admin finds: the staff console, and what is taken out of the admin for it."""

from django.contrib import admin
from django.contrib.auth.models import Group, User
from django_otp.plugins.otp_totp.models import TOTPDevice
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken

# simplejwt's pages show refresh tokens: whoever reads one could act as its merchant
admin.site.unregister([OutstandingToken, BlacklistedToken])
# and whoever could make an account here, or set another one's password, would be two people (ADR 0018)
admin.site.unregister([User, Group])
# and this one shows the secrets of second factors
admin.site.unregister(TOTPDevice)

from payments.console import approvals, merchants, pool, programs, records, repayments, withdrawals  # noqa: E402, F401
