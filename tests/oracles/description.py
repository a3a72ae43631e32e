"""Kalshi's own description of its API, read by a validator nobody here wrote."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from openapi_schema_validator import OAS30Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT4

FILE = Path(__file__).parents[3] / "shared" / "reference" / "kalshi-openapi.json"
WHY = f"the public description is not beside the checkout: {FILE.name}"
_URN = "urn:kalshi"


class Description:
    """The paths and schemas of one OpenAPI 3.0 document."""

    def __init__(self, file: Path = FILE) -> None:
        """Read the file; OSError when it is not there."""
        self._document: dict[str, Any] = json.loads(file.read_text())
        assert self._document["openapi"].startswith("3.0")
        resource = Resource(contents=self._document, specification=DRAFT4)
        self._registry: Registry[Any] = Registry().with_resource(_URN, resource)

    def __contains__(self, path: str) -> bool:
        """Return whether a path is described."""
        return path in self._document["paths"]

    def parameters(self, path: str) -> dict[str, dict[str, Any]]:
        """Return the query parameters of a path, by name."""
        found = self._document["paths"][path]["get"].get("parameters", ())
        return {one["name"]: one for one in found if one["in"] == "query"}

    def schema(self, path: str) -> dict[str, Any]:
        """Return the schema of a path's good answer."""
        content = self._document["paths"][path]["get"]["responses"]["200"]["content"]
        found: dict[str, Any] = content["application/json"]["schema"]
        return self._resolved(found)

    def errors(self, path: str, body: object) -> list[str]:
        """Return what is wrong with a path's answer."""
        content = self._document["paths"][path]["get"]["responses"]["200"]["content"]
        reference = content["application/json"]["schema"]["$ref"]
        validator = OAS30Validator(
            {"$ref": _URN + reference},
            registry=self._registry,
            format_checker=OAS30Validator.FORMAT_CHECKER,
        )
        return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(body)]

    def strangers(self, path: str, body: object) -> set[str]:
        """Return the names in an answer that the description does not know."""
        return set(self._strange(self.schema(path), body, "$"))

    def _strange(self, schema: dict[str, Any], value: object, at: str) -> Iterator[str]:
        schema = self._resolved(schema)
        known = schema.get("properties", {})
        if isinstance(value, dict) and known:
            for name, part in value.items():
                if name in known:
                    yield from self._strange(known[name], part, f"{at}.{name}")
                else:
                    yield f"{at}.{name}"
        if isinstance(value, list):
            for part in value:
                yield from self._strange(schema["items"], part, f"{at}[]")

    def _resolved(self, schema: dict[str, Any]) -> dict[str, Any]:
        while "$ref" in schema:
            found: Any = self._document
            for step in schema["$ref"].removeprefix("#/").split("/"):
                found = found[step]
            schema = found
        return schema
