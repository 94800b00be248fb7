"""A client of Etebar's API for merchants, sync (`Etebar`) and async (`AsyncEtebar`), with the same methods.

A withdrawal is asked for under one key until there is an answer, so that it moves money once however often the network
fails in between.
"""

from etebar_client.asynchronous import AsyncEtebar
from etebar_client.errors import NoAnswer, Refused
from etebar_client.models import Account, LedgerEntry, Statement, Totals, Webhook, Withdrawal
from etebar_client.synchronous import Etebar

__all__ = [
    "Account",
    "AsyncEtebar",
    "Etebar",
    "LedgerEntry",
    "NoAnswer",
    "Refused",
    "Statement",
    "Totals",
    "Webhook",
    "Withdrawal",
]
