"""When the books were last compared, and what did not agree."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from payments.formats import moment
from payments.models.naming import named


class BooksCheck(models.Model):
    """One run of verify_books; `differences` is a list of sentences, empty when the books agree."""

    started_at = models.DateTimeField()
    finished_at = models.DateTimeField()
    settlement_compared = models.BooleanField()
    differences = models.JSONField()

    class Meta:
        verbose_name, verbose_name_plural = _("comparison of the books"), _("comparisons of the books")

    def __str__(self) -> str:
        return f"{named(self)} ({moment(self.started_at)})"
