"""The roles and the database, as an administrator makes them on a real server."""

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any

import psycopg2
from psycopg2 import sql

from msty_invoice.dev.postgres import PostgresServer

DATABASE = "msty_invoice"
MIGRATOR = "msty_migrator"
WEB = "msty_web"
TIMERS = "msty_timers"

# What each login of the service may do, by the roles that the migrations make.
_MEMBER_OF = {WEB: "msty_app", TIMERS: "msty_jobs"}

_ROLE_EXISTS = "SELECT FROM pg_roles WHERE rolname = %s"
_DATABASE_EXISTS = "SELECT FROM pg_database WHERE datname = %s"


def prepare_database(server: PostgresServer, passwords: Mapping[str, str]) -> None:
    """Make what is missing of the logins and the database, and set the logins' passwords."""
    with _admin(server) as cursor:
        for login, password in passwords.items():
            right = "CREATEROLE" if login == MIGRATOR else "NOCREATEROLE"
            _ensure_login(cursor, login, right, password)
        cursor.execute(_DATABASE_EXISTS, (DATABASE,))
        if cursor.fetchone() is None:
            cursor.execute(_named("CREATE DATABASE {} OWNER {}", DATABASE, MIGRATOR))


def let_the_service_in(server: PostgresServer) -> None:
    """Give the service's logins the rights that the migrations made."""
    with _admin(server) as cursor:
        for login, role in _MEMBER_OF.items():
            cursor.execute(_named("GRANT {} TO {}", role, login))


def _ensure_login(cursor: Any, role: str, right: str, password: str) -> None:
    cursor.execute(_ROLE_EXISTS, (role,))
    if cursor.fetchone() is None:
        cursor.execute(_named("CREATE ROLE {}", role))
    statement = _named(f"ALTER ROLE {{}} LOGIN {right} PASSWORD %s", role)
    cursor.execute(statement, (password,))


def _named(statement: str, *names: str) -> sql.Composed:
    return sql.SQL(statement).format(*map(sql.Identifier, names))


@contextmanager
def _admin(server: PostgresServer) -> Iterator[Any]:
    with closing(psycopg2.connect(server.admin_url)) as connection:
        connection.autocommit = True  # CREATE DATABASE refuses a transaction
        with connection.cursor() as cursor:
            yield cursor
