"""No write and no call to the outside is left out of the matrix."""

import ast
from collections.abc import Iterator
from pathlib import Path

import msty_invoice
from msty_invoice.failpoints import names
from tests.integration.crashes.matrix import SCENARIOS

PACKAGE = Path(msty_invoice.__file__).parent
# The migrator commits with its library's own statements; tests/storage/migrating kills it.
APART = {"migrations"}
# Reads a long list as it comes, on a cursor at the server.
READING = {"invoice_list"}
# Asked by no process yet.
UNUSED = {"river GET /accounts/{account}"}


def _trees(folder: str) -> Iterator[tuple[str, ast.Module]]:
    for path in sorted((PACKAGE / folder).rglob("*.py")):
        if path.stem not in APART:
            yield path.stem, ast.parse(path.read_text())


def _texts(node: ast.AST) -> Iterator[str]:
    """The texts in it, what an f-string puts in being left out."""
    for part in ast.walk(node):
        if isinstance(part, ast.Constant) and isinstance(part.value, str):
            yield part.value


def _commands(tree: ast.Module) -> Iterator[str]:
    """What `RedisLink.ask` is given: in the call itself, or in the tuple that it spreads."""
    tuples = {
        ast.unparse(node.targets[0]): node.value.elts[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Tuple)
    }
    for call in ast.walk(tree):
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "self._link.ask":
            given = call.args[1]
            if isinstance(given, ast.Starred):
                given = tuples[ast.unparse(given.value)]
            yield ast.literal_eval(given)


def test_the_matrix_reaches_every_failpoint() -> None:
    reached = {name for scenario in SCENARIOS for name in scenario.reaches}

    assert reached | UNUSED == set(names.known())
    assert not reached & UNUSED


def test_every_text_that_writes_stands_in_a_constant() -> None:
    """Where failpoints find it: a statement written elsewhere would have no name."""
    inside = [
        f"{module}: {text.strip()[:60]}"
        for folder in ("storage", "service", "web", "cli", "lightning")
        for module, tree in _trees(folder)
        for scope in ast.walk(tree)
        if isinstance(scope, ast.FunctionDef | ast.Lambda)
        for text in _texts(scope)
        if names.WRITES.search(text)
    ]

    assert not inside


def test_every_constant_that_writes_is_a_statement_or_part_of_one() -> None:
    """A part is no constant of its own, or its text is in a statement that has a name."""
    named = names.statements()
    for module, tree in _trees("storage"):
        for name, text in _written(module, tree):
            stands = [n for n in named.values() if n.split(".")[:2] == [module, name]]
            parts = [line.strip() for line in text.splitlines() if names.WRITES.search(line)]
            assert stands or all(any(part in whole for whole in named) for part in parts), name


def _written(module: str, tree: ast.Module) -> Iterator[tuple[str, str]]:
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            for text in _texts(node.value):
                if names.WRITES.search(text):
                    yield node.targets[0].id, text


def test_every_statement_is_run_by_the_database_that_failpoints_know() -> None:
    """A cursor of one's own would pass them by."""
    passing_by = [
        module
        for folder in ("storage", "service", "web", "cli")
        for module, tree in _trees(folder)
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in ("cursor", "executemany", "callproc")
    ]

    assert set(passing_by) <= {"postgres"} | READING


def test_only_the_failing_kind_is_told_apart_where_connections_are_made() -> None:
    """One place makes each kind of connection, and it asks for failpoints first."""
    source = (PACKAGE / "bootstrap.py").read_text()
    made = [
        ast.unparse(call.func)
        for call in ast.walk(ast.parse(source))
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name)
    ]

    assert not {"Database", "RedisLink", "HttpService"} & set(made)


def test_every_command_to_redis_has_a_failpoint() -> None:
    asked = {f"redis {word}" for _, tree in _trees("storage") for word in _commands(tree)}

    assert asked == set(names.REDIS)


def test_every_provider_call_is_an_endpoint() -> None:
    """`RiverClient` sends what stands in `endpoints`, and nothing else."""
    tree = ast.parse((PACKAGE / "lightning/river/client.py").read_text())
    calls = [
        ast.unparse(node)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "self._http.call"
    ]

    assert len(calls) == 1
    assert "endpoint.method" in calls[0]
