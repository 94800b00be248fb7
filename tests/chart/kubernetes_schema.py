"""Kubernetes' own OpenAPI, strict: kubernetes-validate's schemas, each read once."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from jsonschema import Draft202012Validator
from kubernetes_validate import utils
from referencing import Registry, Resource

VERSIONS = ("1.30", "1.31", "1.32", "1.33", "1.34")


def problems(rendered: Mapping[str, Any], version: str) -> list[str]:
    """What Kubernetes of this version would not take in one object, fields that it does not know included."""
    kind, name = rendered["kind"], rendered["metadata"]["name"]
    errors = _validator(version, rendered["apiVersion"], kind).iter_errors(rendered)
    return [f"{kind}/{name}: {error.json_path}: {error.message}" for error in errors]


@lru_cache(maxsize=256)
def _validator(version: str, api_version: str, kind: str) -> Draft202012Validator:
    group, _, api = api_version.rpartition("/")
    name = "-".join([kind.lower(), *([group.partition(".")[0]] if group else []), api])
    schema = utils.schema_contents(f"{_folder(version)}/{name}.json", version)
    return Draft202012Validator(schema, registry=Resource.from_contents(schema) @ _definitions(version))


@lru_cache(maxsize=len(VERSIONS))
def _definitions(version: str) -> Registry[Any]:
    definitions = utils.schema_contents(f"{_folder(version)}/_definitions.json", version)
    registry: Registry[Any] = Registry()
    return (Resource.from_contents(definitions) @ registry).crawl()


def _folder(version: str) -> str:
    exact = next(one for one in utils.all_versions() if utils.major_minor(one) == version)
    return f"kubernetes-json-schema/v{exact}-local-strict"
