-- Idempotency keys: same key and same order, same invoice. Kept 72 hours.
-- depends: 0003.create-invoices

SET LOCAL lock_timeout = '500ms';

CREATE TABLE idempotency_keys (
    key_family   uuid         NOT NULL REFERENCES api_keys,
    -- Compared byte by byte, whatever the database's language.
    key          text         COLLATE "C" NOT NULL CHECK (length(key) BETWEEN 1 AND 255),
    -- The SHA-256 of what was ordered.
    fingerprint  bytea        NOT NULL CHECK (octet_length(fingerprint) = 32),
    -- Whoever holds it may finish; a claim that is taken over gets another.
    token        uuid         NOT NULL,
    -- '-infinity' once released: then anyone may take it over at once.
    claimed_at   timestamptz  NOT NULL DEFAULT clock_timestamp(),
    -- NULL until the invoice is made, in the same commit. Not a foreign key: losing the
    -- invoice must neither be held up by the key nor make the key fit for another one.
    invoice_id   uuid,

    PRIMARY KEY (key_family, key)
);

-- What is older than 72 hours is deleted, oldest first.
CREATE INDEX idempotency_keys_claimed_at ON idempotency_keys (claimed_at);

CREATE FUNCTION refuse_idempotency_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'idempotency key of invoice %: it is finished', OLD.invoice_id
        USING ERRCODE = 'restrict_violation';
END
$$;

-- At most one invoice is ever shown for a key.
CREATE TRIGGER idempotency_keys_finished_is_final BEFORE UPDATE ON idempotency_keys
    FOR EACH ROW WHEN (OLD.invoice_id IS NOT NULL)
    EXECUTE FUNCTION refuse_idempotency_change();

GRANT SELECT, INSERT ON idempotency_keys TO msty_app, msty_jobs;
GRANT UPDATE (fingerprint, token, claimed_at, invoice_id) ON idempotency_keys
    TO msty_app, msty_jobs;
GRANT DELETE ON idempotency_keys TO msty_jobs;
GRANT SELECT ON idempotency_keys TO msty_readonly;
