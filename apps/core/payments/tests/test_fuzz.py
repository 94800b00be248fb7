"""What readers of strangers' bytes do with any bytes at all: a value that holds, or the one error that says no."""

import json
import time
from decimal import Decimal
from io import BytesIO
from typing import Any

import jwt
from django.conf import settings as django_settings
from hypothesis import example, given, settings
from hypothesis import strategies as st

from core.json_parser import StrictJSONParser
from etebar_common.bank_account import mask_account, parse_bank_account
from etebar_common.environment import Profile
from etebar_common.headers import MAXIMUM_KEY_LENGTH, parse_idempotency_key, parse_request_id
from etebar_common.money import parse_amount
from etebar_common.problems import IdempotencyKeyInvalid, MalformedRequest, TokenInvalid
from payments.tokens.authentication import TokenUser, user_of_token
from payments.tokens.throttle import network_of

BOUNDED = settings(max_examples=200, deadline=None, derandomize=True)

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner))
keys = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1, max_size=MAXIMUM_KEY_LENGTH)
CLAIMS = ("user_id", "username", "merchant_id", "exp", "iat", "jti", "token_type", "totp", "nbf", "aud", "iss")


@BOUNDED
@given(st.text(max_size=300))
def test_an_idempotency_key_is_printable_or_refused(header: str) -> None:
    try:
        key = parse_idempotency_key(header)
    except IdempotencyKeyInvalid:
        return
    assert 1 <= len(key) <= MAXIMUM_KEY_LENGTH
    assert key.isascii()
    assert key.isprintable()


@BOUNDED
@given(keys)
def test_a_quoted_key_is_the_key(key: str) -> None:
    quoted = '"' + key.replace("\\", "\\\\").replace('"', '\\"') + '"'
    assert parse_idempotency_key(quoted) == key


@BOUNDED
@given(st.text(max_size=200))
def test_a_request_id_is_harmless_or_none(header: str) -> None:
    found = parse_request_id(header)
    assert found is None or (found == header and found.isascii() and not set(found) & set("\r\n \"'<>;"))


@BOUNDED
@given(st.text(max_size=40) | st.from_regex(r"[-+0-9.eE_, ]{1,25}", fullmatch=True))
def test_an_amount_is_positive_with_two_places_or_refused(text: str) -> None:
    try:
        amount = parse_amount(text)
    except ValueError:
        return
    assert amount > 0
    assert amount == amount.quantize(Decimal("0.01"))
    assert amount == Decimal(text)
    assert text.isascii()
    assert len(text) <= 21


@BOUNDED
@given(st.decimals(min_value="0.01", max_value="999999999999999999.99", places=2))
def test_an_amount_that_is_written_is_read_again(amount: Decimal) -> None:
    assert parse_amount(str(amount)) == amount


@BOUNDED
@given(st.binary(max_size=200) | values.map(lambda value: json.dumps(value).encode()))
def test_a_body_is_json_or_refused(body: bytes) -> None:
    try:
        found = StrictJSONParser().parse(BytesIO(body))
    except MalformedRequest:
        return
    # what is taken is what every reader of JSON takes it for
    assert found == json.loads(body)


@BOUNDED
@given(st.dictionaries(st.text(min_size=1, max_size=10), st.integers(), min_size=1, max_size=4), st.data())
def test_a_member_that_comes_twice_is_refused(members: dict[str, int], data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(members)))
    pairs = [*members.items(), (name, 0)]
    body = "{" + ",".join(f"{json.dumps(key)}:{value}" for key, value in pairs) + "}"
    try:
        StrictJSONParser().parse(BytesIO(body.encode()))
    except MalformedRequest:
        return
    raise AssertionError(body)


@BOUNDED
@given(st.binary(max_size=300) | st.from_regex(rb"[A-Za-z0-9_-]{1,40}(\.[A-Za-z0-9_-]{0,40}){2}", fullmatch=True))
def test_bytes_that_we_did_not_sign_are_no_token(token: bytes) -> None:
    try:
        user_of_token(token)
    except TokenInvalid:
        return
    raise AssertionError(token)


@BOUNDED
@given(st.dictionaries(st.sampled_from(CLAIMS), values))
@example({"user_id": None})
@example({"user_id": []})
@example({})
def test_claims_of_any_shape_are_a_user_or_refused(drawn: dict[str, Any]) -> None:
    """Signed with the right key: a program of ours that is wrong, or a key that leaked, breaks nothing here."""
    good = {"token_type": "access", "jti": "x", "user_id": "1", "username": "root", "merchant_id": None}
    claims = {"exp": int(time.time()) + 60, **good, **drawn}
    try:
        token = jwt.encode(claims, django_settings.SIMPLE_JWT["SIGNING_KEY"], "HS256")
    except (TypeError, ValueError):
        return
    try:
        user = user_of_token(token.encode())
    except TokenInvalid:
        return
    assert isinstance(user, TokenUser)
    assert claims["token_type"] == "access"


@BOUNDED
@given(st.dictionaries(st.sampled_from(["alg", "typ", "kid", "crit", "b64", "jku", "x5u", "jwk"]), values))
def test_headers_of_any_shape_never_let_in_who_has_not_the_key(header: dict[str, Any]) -> None:
    header = {name: value for name, value in header.items() if name != "alg"}
    claims = {"exp": int(time.time()) + 60, "token_type": "access", "jti": "x", "user_id": "1", "username": "root"}
    try:
        token = jwt.encode({**claims, "merchant_id": None}, "another-key-" + "x" * 32, "HS256", headers=header)
    except (TypeError, ValueError, jwt.PyJWTError):
        return
    try:
        user_of_token(token.encode())
    except TokenInvalid:
        return
    raise AssertionError(header)


@BOUNDED
@given(st.text(max_size=40), st.sampled_from(Profile))
def test_an_account_number_is_normalized_or_refused(text: str, profile: Profile) -> None:
    try:
        number = parse_bank_account(text, profile)
    except ValueError:
        return
    assert number == parse_bank_account(number, profile)
    assert len(number) <= 34


@BOUNDED
@given(st.text(min_size=15, max_size=34))
def test_a_mask_shows_six_characters_at_most(number: str) -> None:
    shown = mask_account(number)
    assert len(shown) == len(number)
    assert shown[2:-4] == "*" * (len(number) - 6)


@BOUNDED
@given(st.text(max_size=60) | st.ip_addresses().map(str))
def test_an_address_of_any_kind_is_counted_as_something(address: str) -> None:
    assert network_of(network_of(address)) or not address
