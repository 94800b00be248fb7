"""The OpenAPI documents show what values look like, and what they show is true."""

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from etebar_common.openapi_examples import WITHOUT_EXAMPLE, needs_example, operations

FOLDER = Path(__file__).parents[2] / "docs" / "api"
DOCUMENTS = ("core", "core-internal", "settlement")

JsonObject = dict[str, Any]


def document(name: str) -> JsonObject:
    found: JsonObject = json.loads((FOLDER / f"{name}.json").read_text())
    return found


def validator(whole: JsonObject, schema: JsonObject) -> Draft202012Validator:
    """Of a schema of the document, whose references lead into it."""
    return Draft202012Validator({**schema, "components": whole["components"]}, format_checker=FormatChecker())


def values(whole: JsonObject) -> Iterator[tuple[str, JsonObject]]:
    """Every member of every object, and every parameter, with its name."""
    for name, schema in whole["components"]["schemas"].items():
        yield from ((f"{name}.{member}", told) for member, told in schema.get("properties", {}).items())
    for operation in operations(whole):
        yield from ((each["name"], each["schema"]) for each in operation.get("parameters", []))


def bodies(whole: JsonObject) -> Iterator[tuple[JsonObject, JsonObject]]:
    """Every schema of a body, with the examples that stand beside it."""
    for operation in operations(whole):
        for response in (operation.get("requestBody", {}), *operation["responses"].values()):
            yield from ((media["schema"], media.get("examples", {})) for media in response.get("content", {}).values())
    for response in whole["components"].get("responses", {}).values():
        yield from ((media["schema"], media["examples"]) for media in response["content"].values())


@pytest.mark.parametrize("name", DOCUMENTS)
class TestDocuments:
    def test_show_an_example_of_each_value(self, name: str) -> None:
        without = {
            which
            for which, schema in values(document(name))
            if needs_example(schema) and not {"example", "examples"} & schema.keys()
        }
        assert without <= WITHOUT_EXAMPLE

    def test_show_no_cursor_which_no_list_would_take(self, name: str) -> None:
        shown = [schema for which, schema in values(document(name)) if which == "cursor"]
        assert not any({"example", "examples"} & schema.keys() for schema in shown)

    def test_show_only_what_may_be(self, name: str) -> None:
        whole = document(name)
        for which, schema in (*values(whole), *whole["components"]["schemas"].items()):
            for example in schema.get("examples", []):
                errors = [error.message for error in validator(whole, schema).iter_errors(example)]
                assert errors == [], which

    def test_show_bodies_that_may_be(self, name: str) -> None:
        whole = document(name)
        shown = [(schema, each["value"]) for schema, examples in bodies(whole) for each in examples.values()]
        assert shown, "no body is shown"
        for schema, value in shown:
            errors = [error.message for error in validator(whole, schema).iter_errors(value)]
            assert errors == [], value


class TestCoreDocument:
    """Members that are right one by one can be wrong together."""

    whole = document("core")

    def example(self, schema: str) -> JsonObject:
        [found] = self.whole["components"]["schemas"][schema]["examples"]
        return dict(found)

    def answers(self) -> Iterator[Any]:
        """Every body that is shown of an answer, and every schema's."""
        yield from (
            example for schema in self.whole["components"]["schemas"].values() for example in schema.get("examples", [])
        )
        yield from (each["value"] for _, examples in bodies(self.whole) for each in examples.values())

    def test_shows_a_statement_that_adds_up(self) -> None:
        statement = self.example("AccountStatement")
        used, sums = Decimal(statement["opening"]["used"]), dict[str, tuple[int, Decimal]]()
        for entry in statement["entries"]:
            count, amount = sums.get(entry["kind"], (0, Decimal(0)))
            sums[entry["kind"]] = (count + 1, amount + Decimal(entry["amount"]))
            used += Decimal(entry["amount"])
            assert Decimal(entry["balance_after"]) == used
        assert Decimal(statement["closing"]["used"]) == used
        assert {each["kind"]: (each["count"], Decimal(each["amount"])) for each in statement["totals"]} == sums
        assert statement["closing"]["credit_limit"] == statement["limits"][-1]["credit_limit"]
        assert sums.keys() <= {"reserve", "release", "repayment", "reversal"}

    def test_shows_withdrawals_that_are_final_or_pending(self) -> None:
        withdrawals = [each for each in self.answers() if isinstance(each, dict) and "finalized_at" in each]
        assert {each["state"] for each in withdrawals} == {"settled", "pending"}
        for each in withdrawals:
            assert (each["finalized_at"] is None) == (each["state"] == "pending")

    def test_shows_merchants_with_credit_once_they_are_approved(self) -> None:
        merchants = [each for each in self.answers() if isinstance(each, dict) and "wallet_account_id" in each]
        assert {each["state"] for each in merchants} == {"pending", "approved", "refused", "suspended"}
        for each in merchants:
            credit = [
                each[name] for name in ("wallet_account_id", "credit_limit", "utilized_amount", "available_credit")
            ]
            assert all(credit) == (each["state"] in {"approved", "suspended"})
            assert any(credit) == all(credit)

    def test_shows_the_bank_statement_whose_lines_it_counts(self) -> None:
        content = self.whole["components"]["schemas"]["StatementImportRequest"]["properties"]["content"]["examples"][0]
        report = self.example("StatementReport")
        lines = len(content.splitlines()) - 1
        assert report["line_count"] == lines
        assert sum(report[kind]["found"] for kind in ("matched", "different", "extra", "other")) == lines

    @pytest.mark.parametrize(
        ("code", "at"),
        [
            ("bank_statement_invalid", {"import_a_bank_statement"}),
            ("statement_too_long", {"get_a_statement", "get_a_month_s_statement", "get_a_merchant_s_statement"}),
            (
                "idempotency_key_reused",
                {
                    each["operationId"]
                    for each in operations(document("core"))
                    if "Idempotency-Key" in {parameter["name"] for parameter in each.get("parameters", [])}
                },
            ),
        ],
    )
    def test_names_a_code_where_it_is_answered(self, code: str, at: set[str]) -> None:
        shared = self.whole["components"]["responses"]
        found = {
            operation["operationId"]
            for operation in operations(self.whole)
            if (response := operation["responses"].get("422"))
            and code in shared[response["$ref"].rpartition("/")[2]]["content"]["application/problem+json"]["examples"]
        }
        assert found == at


def test_an_event_is_shown_as_it_is_told() -> None:
    whole = document("core")
    for name, event in whole["webhooks"].items():
        content = event["post"]["requestBody"]["content"]["application/json"]
        [shown] = [each["value"] for each in content["examples"].values()]
        assert list(validator(whole, content["schema"]).iter_errors(shown)) == []
        assert shown["type"] == name
        if name.startswith("withdrawal."):
            assert f"withdrawal.{shown['data']['state']}" == name
            assert (shown["data"]["finalized_at"] is None) is (shown["data"]["state"] == "pending")
            assert (shown["data"]["failure_code"] is None) is (shown["data"]["state"] != "failed")
