"""Prints the API's OpenAPI document: `python -m settlement.openapi > docs/api/settlement.json`."""

import json

from pydantic import SecretStr

from etebar_common.environment import Profile
from settlement.main import build_app
from settlement.settings import Settings


def document() -> str:
    """The document as sorted, indented JSON. The profile is the one that has every documented route."""
    placeholder = SecretStr("only-to-build-the-document-no-secret")
    settings = Settings(etebar_profile=Profile.SANDBOX, internal_token=placeholder, account_fingerprint_key=placeholder)
    return json.dumps(build_app(settings).openapi(), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    print(document(), end="")  # noqa: T201 - printing is what it is for
