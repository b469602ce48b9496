"""API keys in PostgreSQL. Secrets never arrive here, only their SHA-256."""

from psycopg2 import errors

from msty_invoice.domain.errors import KeyNameTaken
from msty_invoice.domain.key import ApiKey, KeyKind
from msty_invoice.storage.postgres import Database, Row

# The use is noted at most once a minute: a busy key must not cost a write per request.
_FIND = """
    WITH k AS (
        SELECT a.id, a.name, a.kind, a.live, s.prefix, a.created_at, s.last_used_at, a.revoked_at
        FROM api_key_secrets s JOIN api_keys a ON a.id = s.key_id
        WHERE s.secret_sha256 = %(secret_sha256)s
          AND a.revoked_at IS NULL
          AND (s.expires_at IS NULL OR s.expires_at > now())),
    used AS (
        UPDATE api_key_secrets s SET last_used_at = now() FROM k
        WHERE s.secret_sha256 = %(secret_sha256)s
          AND (s.last_used_at IS NULL OR s.last_used_at < now() - interval '1 minute'))
    SELECT * FROM k
"""

_ADD = """
    WITH a AS (
        INSERT INTO api_keys (id, name, kind, live, created_at)
        VALUES (%(id)s, %(name)s, %(kind)s, %(live)s, %(created_at)s) RETURNING id, created_at)
    INSERT INTO api_key_secrets (secret_sha256, key_id, prefix, created_at)
    SELECT %(secret_sha256)s, id, %(prefix)s, created_at FROM a
"""

_LIST = """
    SELECT a.id, a.name, a.kind, a.live,
           (array_agg(s.prefix ORDER BY s.created_at DESC))[1],
           a.created_at, max(s.last_used_at), a.revoked_at
    FROM api_keys a JOIN api_key_secrets s ON s.key_id = a.id
    GROUP BY a.id
    ORDER BY a.created_at, a.id
"""


class PostgresKeys:
    """Implements `service.ports.KeyStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, secret_sha256: bytes) -> ApiKey | None:
        rows = self._database.repeat(_FIND, {"secret_sha256": secret_sha256})
        return _key(rows[0]) if rows else None

    def add(self, key: ApiKey, secret_sha256: bytes) -> None:
        values = {
            "id": key.id,
            "name": key.name,
            "kind": key.kind,
            "live": key.live,
            "created_at": key.created_at,
            "prefix": key.prefix,
            "secret_sha256": secret_sha256,
        }
        try:
            self._database.execute(_ADD, values)
        except errors.UniqueViolation as exc:
            raise KeyNameTaken(key.name) from exc

    def list(self) -> list[ApiKey]:
        return [_key(row) for row in self._database.repeat(_LIST)]


def _key(row: Row) -> ApiKey:
    key_id, name, kind, *rest = row
    return ApiKey(key_id, name, KeyKind(kind), *rest)
