"""A merchant's story through core's Service, from registration to refusals. Exit code 0 if all of it held."""

import json
import os
import pathlib
import time
import urllib.error
import urllib.request
import uuid
from typing import Any

CORE = os.environ["CORE_URL"]
SECRETS = pathlib.Path("/run/secrets/admin")


Answer = tuple[int, dict[str, Any], Any]


def ask(method: str, path: str, body: Any = None, token: str = "", key: str = "") -> Answer:
    """(status, body, headers) of one request; bodies are JSON."""
    headers = {"Content-Type": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    if key:
        headers["Idempotency-Key"] = key
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{CORE}/api/v1{path}", data, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, json.load(answer), answer.headers
    except urllib.error.HTTPError as error:
        return error.code, json.load(error), error.headers


def expect(sentence: str, found: object, wanted: object) -> None:
    """Prints what held; ends the story with what did not."""
    if found != wanted:
        raise SystemExit(f"FAILED {sentence}: expected {wanted!r}, found {found!r}")
    print(f"ok {sentence}")


def sign_in(username: str, password: str) -> str:
    status, body, _ = ask("POST", "/auth/token", {"username": username, "password": password})
    expect(f"{username} signs in", status, 200)
    return str(body["access"])


def final(answer: Answer, token: str) -> Answer:
    """The answer, or what became of a withdrawal that was pending."""
    status, body, headers = answer
    for _ in range(30):
        if body.get("state") != "pending":
            break
        time.sleep(1)
        status, body, headers = ask("GET", f"/withdrawals/{body['id']}", token=token)
    return status, body, headers


def main() -> None:
    admin = sign_in((SECRETS / "username").read_text().strip(), (SECRETS / "password").read_text().strip())
    username, password = f"helm-test-{uuid.uuid4().hex[:12]}", uuid.uuid4().hex
    merchant_number = f"IRTEST{uuid.uuid4().int % 10**13:013}"
    status, merchant, _ = ask(
        "POST",
        "/auth/register",
        {"username": username, "password": password, "requested_credit": "10.00", "bank_account": merchant_number},
    )
    expect("a merchant registers", status, 201)
    status, _, _ = ask(
        "POST", "/admin/approve", {"merchant_id": merchant["merchant_id"], "credit_limit": "10.00"}, admin
    )
    expect("staff approve it", status, 200)
    status, _, _ = ask("POST", "/admin/pool/topup", {"amount": "10.00"}, admin, f"topup-{username}")
    expect("the pool is topped up", status in {200, 201}, True)

    token = sign_in(username, password)
    first = final(ask("POST", "/withdrawals", {"amount": "4.00"}, token, "first"), token)
    expect("it withdraws 4.00", first[1].get("state"), "settled")
    status, again, headers = ask("POST", "/withdrawals", {"amount": "4.00"}, token, "first")
    expect("the same key is replayed", (headers.get("Idempotency-Replayed"), again["id"]), ("true", first[1]["id"]))
    status, body, _ = ask("POST", "/withdrawals", {"amount": "5.00"}, token, "first")
    expect("the key with another amount is refused", (status, body["code"]), (422, "idempotency_key_reused"))
    status, body, _ = ask("POST", "/withdrawals", {"amount": "7.00"}, token, "second")
    expect("more than the credit is refused", (status, body["code"]), (409, "insufficient_credit"))
    status, body, _ = ask("GET", "/me", token=token)
    expect("its credit is what is left", body["available_credit"], "6.00")


main()
