-- Publishable keys and where they work, limits of a key's own, and rotation.
-- depends: 0003.create-invoices

SET LOCAL lock_timeout = '500ms';

ALTER TABLE api_keys
    ADD COLUMN origins          text[]  NOT NULL DEFAULT '{}',
    -- NULL: the address that asks is counted, not the key.
    ADD COLUMN rate_per_minute  int     CHECK (rate_per_minute BETWEEN 1 AND 100000),
    -- A page sends its origin and a server has none.
    ADD CONSTRAINT api_keys_origins
        CHECK ((kind = 'publishable') = (cardinality(origins) > 0)
               AND array_position(origins, NULL) IS NULL),
    -- Anyone can spend a publishable key: its limits are the deployment's.
    ADD CONSTRAINT api_keys_rate CHECK (rate_per_minute IS NULL OR kind = 'secret');

-- Of a family's secrets one has no end: a rotation ends those before it, and of two
-- rotations at once only one succeeds.
CREATE UNIQUE INDEX api_key_secrets_current ON api_key_secrets (key_id) WHERE expires_at IS NULL;
