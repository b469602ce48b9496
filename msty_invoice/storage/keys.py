"""API keys in PostgreSQL. Secrets never arrive here, only their SHA-256."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from psycopg2 import errors

from msty_invoice.domain.errors import KeyNameTaken, KeyNotFound, KeyRotatedMeanwhile
from msty_invoice.domain.key import ApiKey, KeyKind, KeySecret
from msty_invoice.storage.postgres import Database, Row

# The use is noted at most once a minute: a busy key must not cost a write per request.
_FIND = """
    WITH k AS (
        SELECT a.id, a.name, a.kind, a.live, s.prefix, a.created_at, s.last_used_at,
               a.revoked_at, a.origins, a.rate_per_minute
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
        INSERT INTO api_keys (id, name, kind, live, created_at, origins, rate_per_minute)
        VALUES (%(id)s, %(name)s, %(kind)s, %(live)s, %(created_at)s, %(origins)s,
                %(rate_per_minute)s)
        RETURNING id, created_at)
    INSERT INTO api_key_secrets (secret_sha256, key_id, prefix, created_at)
    SELECT %(secret_sha256)s, id, %(prefix)s, created_at FROM a
"""

_LIST = """
    SELECT a.id, a.name, a.kind, a.live,
           (array_agg(s.prefix ORDER BY s.expires_at DESC NULLS FIRST))[1],
           a.created_at, max(s.last_used_at), a.revoked_at, a.origins, a.rate_per_minute,
           array_agg(s.prefix ORDER BY s.expires_at DESC NULLS FIRST, s.secret_sha256),
           array_agg(s.expires_at ORDER BY s.expires_at DESC NULLS FIRST, s.secret_sha256),
           array_agg(s.last_used_at ORDER BY s.expires_at DESC NULLS FIRST, s.secret_sha256)
    FROM api_keys a JOIN api_key_secrets s ON s.key_id = a.id
    GROUP BY a.id
    ORDER BY a.created_at, a.id
"""

# The count makes PostgreSQL end the old secrets before it adds the new one, of which
# an index allows only one without an end.
_ROTATE = """
    WITH k AS (
        SELECT id FROM api_keys WHERE id = %(id)s AND revoked_at IS NULL FOR UPDATE),
    ended AS (
        UPDATE api_key_secrets s SET expires_at = least(s.expires_at, now() + %(overlap)s)
        FROM k WHERE s.key_id = k.id
        RETURNING 1),
    done AS (SELECT count(*) AS ended FROM ended)
    INSERT INTO api_key_secrets (secret_sha256, key_id, prefix, created_at)
    SELECT %(secret_sha256)s, k.id, %(prefix)s, now() FROM k, done WHERE done.ended > 0
    RETURNING now() + %(overlap)s
"""

_REVOKE = """
    UPDATE api_keys SET revoked_at = now()
    WHERE id = %(id)s AND revoked_at IS NULL
    RETURNING revoked_at
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
            "origins": list(key.origins),
            "rate_per_minute": key.rate_per_minute,
            "prefix": key.prefix,
            "secret_sha256": secret_sha256,
        }
        try:
            self._database.execute(_ADD, values)
        except errors.UniqueViolation as exc:
            raise KeyNameTaken(
                f"there is a key named {key.name} already; if you never saw its secret, revoke it"
                " and create it again"
            ) from exc

    def list(self) -> list[ApiKey]:
        return [_listed(row) for row in self._database.repeat(_LIST)]

    def rotate(
        self, key_id: UUID, secret_sha256: bytes, prefix: str, overlap: timedelta
    ) -> datetime:
        values = {
            "id": key_id,
            "secret_sha256": secret_sha256,
            "prefix": prefix,
            "overlap": overlap,
        }
        try:
            return self._change(_ROTATE, values)
        except errors.UniqueViolation as exc:
            raise KeyRotatedMeanwhile("somebody else rotated the key just now") from exc

    def revoke(self, key_id: UUID) -> datetime:
        return self._change(_REVOKE, {"id": key_id})

    def _change(self, statement: str, values: Mapping[str, object]) -> datetime:
        rows = self._database.execute(statement, values)
        if not rows:
            raise KeyNotFound("the key is not in use")
        at: datetime = rows[0][0]
        return at


def _key(row: Row) -> ApiKey:
    key_id, name, kind, *rest, origins, rate_per_minute = row
    key = ApiKey(key_id, name, KeyKind(kind), *rest)
    return replace(key, origins=tuple(origins), rate_per_minute=rate_per_minute)


def _listed(row: Row) -> ApiKey:
    *of_the_key, prefixes, ends, uses = row
    secrets = map(KeySecret, prefixes, ends, uses)
    return replace(_key(tuple(of_the_key)), secrets=tuple(secrets))
