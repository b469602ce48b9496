-- API keys. A key is a family: invoices belong to it, its secrets may be rotated.
-- depends: 0001.create-roles

SET LOCAL lock_timeout = '500ms';

CREATE TABLE api_keys (
    id          uuid         PRIMARY KEY,
    name        text         NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    kind        text         NOT NULL CHECK (kind IN ('secret', 'publishable')),
    -- A live key works on mainnet only, a test key anywhere else only.
    live        boolean      NOT NULL,
    created_at  timestamptz  NOT NULL DEFAULT now(),
    revoked_at  timestamptz
);

-- A revoked key gives its name back.
CREATE UNIQUE INDEX api_keys_name ON api_keys (name) WHERE revoked_at IS NULL;

-- Only the SHA-256 of a secret is kept: whoever reads this table can use none of them.
CREATE TABLE api_key_secrets (
    secret_sha256  bytea        PRIMARY KEY CHECK (octet_length(secret_sha256) = 32),
    key_id         uuid         NOT NULL REFERENCES api_keys,
    prefix         text         NOT NULL CHECK (length(prefix) BETWEEN 1 AND 16),
    created_at     timestamptz  NOT NULL DEFAULT now(),
    -- NULL until a rotation gives it an end.
    expires_at     timestamptz,
    last_used_at   timestamptz
);

CREATE INDEX api_key_secrets_key_id ON api_key_secrets (key_id);

GRANT SELECT, INSERT ON api_keys, api_key_secrets TO msty_app, msty_jobs;
GRANT UPDATE (revoked_at) ON api_keys TO msty_app, msty_jobs;
GRANT UPDATE (expires_at, last_used_at) ON api_key_secrets TO msty_app, msty_jobs;
GRANT SELECT ON api_keys TO msty_readonly;
GRANT SELECT (key_id, prefix, created_at, expires_at, last_used_at)
    ON api_key_secrets TO msty_readonly;
