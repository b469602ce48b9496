-- Without their origins publishable keys would work for every site, so they end here.
SET LOCAL lock_timeout = '500ms';

UPDATE api_keys SET revoked_at = now() WHERE kind = 'publishable' AND revoked_at IS NULL;

DROP INDEX api_key_secrets_current;

ALTER TABLE api_keys
    DROP COLUMN rate_per_minute,
    DROP COLUMN origins;
