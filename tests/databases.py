"""A migrated database of one's own, with a login for each role."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import count

import psycopg2
import pytest

from msty_invoice.dev.postgres import PostgresServer
from msty_invoice.storage.migrations import Migrator, directory

_PASSWORD = "of-a-test"
_LOGINS = {"test_app": "msty_app", "test_jobs": "msty_jobs", "test_readonly": "msty_readonly"}
_numbers = count(1)


@dataclass(frozen=True)
class DatabaseOfOne:
    """The same database, as each of those who may log in sees it."""

    name: str
    admin: str
    migrator: str
    app: str
    jobs: str
    readonly: str


def admin(server: PostgresServer, *statements: str) -> None:
    with closing(psycopg2.connect(server.admin_url)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)


def empty_database(server: PostgresServer, template: str = "template1") -> DatabaseOfOne:
    """A new database owned by the migrating role."""
    name = f"test_{next(_numbers)}"
    make_migrator(server)
    admin(server, f"CREATE DATABASE {name} OWNER test_migrator TEMPLATE {template}")
    urls = {login: server.url(name, login, _PASSWORD) for login in (*_LOGINS, "test_migrator")}
    return DatabaseOfOne(
        name=name,
        admin=server.admin_url.replace("/postgres?", f"/{name}?"),
        migrator=urls["test_migrator"],
        app=urls["test_app"],
        jobs=urls["test_jobs"],
        readonly=urls["test_readonly"],
    )


def make_migrator(server: PostgresServer) -> None:
    """As docs/configuration.md has an administrator do it; once per server."""
    with closing(psycopg2.connect(server.admin_url)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT FROM pg_roles WHERE rolname = 'test_migrator'")
        if cursor.fetchone() is not None:
            return
    admin(server, f"CREATE ROLE test_migrator LOGIN CREATEROLE PASSWORD '{_PASSWORD}'")


def migrated_template(server: PostgresServer) -> str:
    """A migrated database to copy: migrating once and copying is far quicker."""
    database = empty_database(server)
    Migrator(database.migrator, directory()).apply()
    for login, role in _LOGINS.items():
        admin(server, f"CREATE ROLE {login} LOGIN PASSWORD '{_PASSWORD}' IN ROLE {role}")
    return database.name


def _drop(server: PostgresServer, database: DatabaseOfOne) -> None:
    admin(server, f"DROP DATABASE {database.name} WITH (FORCE)")


@pytest.fixture(scope="session")
def _template(postgres_server: PostgresServer) -> str:
    return migrated_template(postgres_server)


@pytest.fixture(scope="session")
def _template_15(postgres_15: PostgresServer) -> str:
    return migrated_template(postgres_15)


@pytest.fixture
def database(postgres_server: PostgresServer, _template: str) -> Iterator[DatabaseOfOne]:
    """A migrated database on PostgreSQL 18."""
    made = empty_database(postgres_server, _template)
    yield made
    _drop(postgres_server, made)


@pytest.fixture
def database_15(postgres_15: PostgresServer, _template_15: str) -> Iterator[DatabaseOfOne]:
    """A migrated database on PostgreSQL 15."""
    made = empty_database(postgres_15, _template_15)
    yield made
    _drop(postgres_15, made)


@pytest.fixture
def bare_database(postgres_server: PostgresServer) -> Iterator[DatabaseOfOne]:
    """An empty database: nothing was ever applied to it."""
    made = empty_database(postgres_server)
    yield made
    _drop(postgres_server, made)


@pytest.fixture
def bare_database_15(postgres_15: PostgresServer) -> Iterator[DatabaseOfOne]:
    """An empty database on PostgreSQL 15."""
    made = empty_database(postgres_15)
    yield made
    _drop(postgres_15, made)
