"""A layer imports only what is below it (docs/decisions.md, "The layers")."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import msty_invoice

PACKAGE = Path(msty_invoice.__file__).parent

# What each part may import, of ours and of others. `sandbox` and `dev` are apart:
# they stand in nobody's list.
BELOW: dict[str, set[str]] = {
    "domain": set(),
    "service": {"domain"},
    "storage": {"domain", "service", "psycopg2", "redis", "yoyo"},
    "lightning": {"domain", "service", "requests", "urllib3", "coincurve"},
    "web": {"domain", "service", "falcon", "marshmallow", "apispec"},
    "telemetry": {"prometheus_client", "pythonjsonlogger"},
    "config": {"domain", "failpoints", "origins"},
    "failpoints": {"lightning", "storage", "redis"},
    "origins": set(),
    "bootstrap": {
        "config", "domain", "failpoints", "lightning", "service", "storage", "telemetry", "web",
        "falcon",
    },
    "wsgi": {"bootstrap", "config"},
    "gunicorn_conf": {"bootstrap", "config", "listeners"},
    "listeners": set(),
    "cli": {"bootstrap", "config", "domain", "origins", "service"},
    "sandbox": {"config", "domain", "lightning", "aiohttp", "uvloop", "coincurve"},
    "dev": {"origins", "psycopg2", "redis"},
}  # fmt: skip

NAMES_THE_ENVIRONMENT = {"wsgi", "gunicorn_conf", "cli", "sandbox", "dev"}
READS_THE_CLOCK = {"bootstrap", "sandbox", "dev"}


def _files() -> list[Path]:
    return sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")


def _part(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def _imports(tree: ast.AST) -> Iterator[str]:
    """The top of each imported name: a part of ours, or another package."""
    for node in ast.walk(tree):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        for name in names:
            top, _, rest = name.partition(".")
            yield rest.partition(".")[0] if top == "msty_invoice" else top


def _attributes(tree: ast.AST) -> set[str]:
    return {ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}


@pytest.mark.parametrize("path", _files(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_layer_imports_only_what_is_below_it(path: Path) -> None:
    part = _part(path)
    imported = set(_imports(ast.parse(path.read_text())))

    above = imported - BELOW[part] - {part, "__version__"} - sys.stdlib_module_names

    assert not above


@pytest.mark.parametrize("part", ["domain", "service"])
def test_the_core_does_no_input_or_output(part: str) -> None:
    imported = {
        name
        for path in (PACKAGE / part).glob("*.py")
        for name in _imports(ast.parse(path.read_text()))
    }

    assert not imported & {"os", "io", "pathlib", "socket", "subprocess", "sys", "time", "urllib"}


@pytest.mark.parametrize("path", _files(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_only_entry_points_name_the_environment(path: Path) -> None:
    named = _attributes(ast.parse(path.read_text())) & {"os.environ", "os.getenv"}

    assert not named or _part(path) in NAMES_THE_ENVIRONMENT


@pytest.mark.parametrize("path", _files(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_the_time_of_day_is_passed_in(path: Path) -> None:
    clocks = {"datetime.now", "datetime.utcnow", "time.time", "date.today"}
    read = _attributes(ast.parse(path.read_text())) & clocks

    assert not read or _part(path) in READS_THE_CLOCK
