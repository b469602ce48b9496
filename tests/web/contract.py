"""The published document, and whether an answer keeps to it."""

from dataclasses import dataclass
from functools import cache
from typing import Any

from openapi_schema_validator import OAS31Validator, oas31_format_checker

from tests.web.conftest import Service

CONTRACT = "/api/lightning/openapi.json"


@dataclass(frozen=True)
class Contract:
    document: dict[str, Any]

    def operations(self) -> dict[tuple[str, str], dict[str, Any]]:
        """By method and address."""
        return {
            (method.upper(), path): operation
            for path, methods in self.document["paths"].items()
            for method, operation in methods.items()
        }

    def codes(self) -> set[tuple[int, str]]:
        """Every status with each code that some operation can answer with it."""
        return {
            (int(status), code)
            for operation in self.operations().values()
            for status, response in operation["responses"].items()
            for code in _examples(response)
            if code.isupper()
        }

    def ensure_kept(self, method: str, path: str, answer: Any) -> None:
        """Fail unless this answer of WebTest is one that the document tells of."""
        responses = self.operations()[method, path]["responses"]
        assert str(answer.status_int) in responses
        told = responses[str(answer.status_int)]
        self._ensure_headers(told.get("headers", {}), answer.headers)
        if "content" in told:
            assert answer.content_type in told["content"]
            self.ensure_valid(told["content"][answer.content_type]["schema"], answer.json)
        else:
            assert answer.body == b""

    def ensure_valid(self, schema: dict[str, Any], value: Any) -> None:
        referred_to = {"components": self.document["components"]}
        OAS31Validator(schema | referred_to, format_checker=oas31_format_checker).validate(value)

    def _ensure_headers(self, told: dict[str, Any], sent: Any) -> None:
        known = self.document["components"]["headers"]
        found = {name for name in known if name in sent}
        assert {name for name in told if known[name]["required"]} <= found <= set(told)
        for name in found:
            self.ensure_valid(known[name]["schema"], _read(known[name]["schema"], sent[name]))


@cache
def published() -> Contract:
    """The document of an application on fakes."""
    return Contract(Service().client.get(CONTRACT).json)


def _examples(response: dict[str, Any]) -> dict[str, Any]:
    content = response.get("content", {}).get("application/json", {})
    examples: dict[str, Any] = content.get("examples", {})
    return examples


def _read(schema: dict[str, Any], value: str) -> object:
    return int(value) if schema["type"] == "integer" else value
