"""What staff type. Amounts may have Persian digits and thousands apart; what they must be is the API's rule."""

import re
from typing import Any
from uuid import uuid4

from django import forms
from django.utils.translation import gettext_lazy as _

from etebar_common.money import parse_amount
from payments.formats import latin_digits
from payments.models import ApprovalRequest

_GROUPED = re.compile(r"-?[0-9]{1,3}(,[0-9]{3})+(\.[0-9]*)?")


class AmountField(forms.CharField):
    """An amount of money; `signed` ones may begin with a minus sign, `allow_zero` those of limits."""

    def __init__(self, *, allow_zero: bool = False, signed: bool = False, **given: Any) -> None:
        self._allow_zero, self._signed = allow_zero, signed
        widget = forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off", "dir": "ltr"})
        super().__init__(max_length=30, widget=widget, **given)

    def clean(self, value: Any) -> Any:
        typed = latin_digits(super().clean(value))
        # a comma sets thousands apart and is no decimal sign: 1250,00 is not 125000
        if _GROUPED.fullmatch(typed):
            typed = typed.replace(",", "")
        sign = -1 if self._signed and typed.startswith("-") else 1
        try:
            return sign * parse_amount(typed[1:] if sign < 0 else typed, allow_zero=self._allow_zero)
        except ValueError as error:
            raise forms.ValidationError(_("This is no amount: write one like 1250.00.")) from error


class ActForm(forms.Form):
    """The hidden key makes a form that is sent twice one act."""

    key = forms.CharField(widget=forms.HiddenInput, max_length=64)

    is_refused = False

    def refused(self, title: str, detail: str) -> None:
        """Shows why nothing was done. What is sent next is another request, whatever it changes."""
        self.is_refused = True
        self.add_error(None, f"{title}: {detail}" if detail else title)
        self.data = {**self.data.dict(), "key": uuid4().hex}  # type: ignore[attr-defined] # what was posted


class LimitForm(ActForm):
    credit_limit = AmountField(label=_("credit limit"), allow_zero=True)


class ReasonForm(ActForm):
    reason = forms.CharField(label=_("reason"), max_length=500, widget=forms.Textarea(attrs={"rows": 3}))


class OptionalReasonForm(ActForm):
    reason = forms.CharField(
        label=_("reason"), max_length=500, required=False, widget=forms.Textarea(attrs={"rows": 3})
    )


class TopUpForm(ActForm):
    amount = AmountField(label=_("amount"))


class RepaymentForm(ActForm):
    amount = AmountField(label=_("amount"))
    reference = forms.CharField(label=_("the bank's reference"), max_length=140)
    anew = forms.BooleanField(label=_("it was recorded before, and reversed: record it anew"), required=False)


class AdjustmentForm(ActForm):
    amount = AmountField(label=_("amount, negative to take away"), signed=True)
    reason = forms.CharField(label=_("reason"), max_length=1000, widget=forms.Textarea(attrs={"rows": 3}))


class OutcomeForm(ActForm):
    outcome = forms.ChoiceField(
        label=_("outcome"),
        choices=[
            (ApprovalRequest.Outcome.PAID.value, _("the bank has paid")),
            (ApprovalRequest.Outcome.REFUSED.value, _("the bank has not paid and will not")),
        ],
        widget=forms.RadioSelect,
    )
    evidence = forms.CharField(label=_("evidence"), max_length=1000, widget=forms.Textarea(attrs={"rows": 4}))
    bank_reference = forms.CharField(label=_("the bank's reference"), max_length=140)
