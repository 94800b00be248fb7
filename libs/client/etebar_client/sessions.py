"""Logging in and out: what `etebar login` and `etebar logout` do."""

import argparse
import getpass
import platform
from urllib.parse import urlsplit

from etebar_client.credentials import SCOPES, Credentials, NotLoggedIn, forget, load, save, tokens_of
from etebar_client.errors import Refused
from etebar_client.printing import say
from etebar_client.synchronous import Etebar


def log_in(given: argparse.Namespace) -> None:
    """A merchant gets an API key of its own for this machine, so that no password is kept; staff a refresh token."""
    username = given.username or input("Username: ")
    tokens = _entered(given.url, username)
    before = _kept()
    if given.staff:
        _keep(Credentials(given.url, username, refresh=tokens["refresh"]))
        _tell_of_key(before)
        return
    with Etebar(given.url, api_key=tokens["access"]) as etebar:
        key = etebar.post("/api-keys", {"name": f"etebar on {platform.node()}"[:100], "scopes": SCOPES})
        made = Credentials(given.url, username, api_key=key["key"])
        _keep(made)
        if before is not None and before.key_id and (before.url, before.username) == (made.url, made.username):
            # a merchant has so many keys, and nobody has this one any more
            _revoke(etebar, before.key_id)
        else:
            _tell_of_key(before)


def log_out(given: argparse.Namespace) -> None:
    """Revokes the key of this machine, which takes the password, and forgets it; staff's token is only forgotten."""
    known = load()
    if known.key_id and not given.forget:
        with Etebar(known.url, api_key=_entered(known.url, known.username)["access"]) as etebar:
            _revoke(etebar, known.key_id)
    forget()
    say(f"{known.username} is logged out")
    if given.forget:
        _tell_of_key(known)


def address(text: str) -> str:
    """The platform's URL, without a slash at its end; raises ArgumentTypeError."""
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise argparse.ArgumentTypeError(f"expected a URL such as https://pay.example, not {text!r}")
    return text.rstrip("/")


def _entered(url: str, username: str) -> dict[str, str]:
    """The tokens of who types the password, and a code where one is asked for."""
    body = {"username": username, "password": getpass.getpass()}
    try:
        return tokens_of(url, "/auth/token", body)
    except Refused as refused:
        if refused.code != "otp_needed":
            raise
        return tokens_of(url, "/auth/token", body | {"otp": input("Code of the second factor: ")})


def _keep(made: Credentials) -> None:
    say(f"logged in as {made.username}; kept in {save(made)}")


def _tell_of_key(known: Credentials | None) -> None:
    """Of a key that this machine forgets: its merchant may revoke it."""
    if known is not None and known.key_id:
        say(f"the API key {known.key_id} of {known.username} is still good")


def _kept() -> Credentials | None:
    try:
        return load()
    except NotLoggedIn:
        return None


def _revoke(etebar: Etebar, key_id: str) -> None:
    """Whoever revoked it before has done the same."""
    try:
        etebar.delete(f"/api-keys/{key_id}")
    except Refused as refused:
        if refused.code != "not_found":
            raise
