-- Invoices, and the history of each. The constraints and triggers say the money
-- rules again, so that no bug in the code can store a lie.
-- depends: 0002.create-api-keys

SET LOCAL lock_timeout = '500ms';

CREATE TABLE invoices (
    id                    uuid         PRIMARY KEY,
    key_family            uuid         NOT NULL REFERENCES api_keys,

    -- What the provider made, read from the BOLT11 itself.
    provider              text         NOT NULL CHECK (length(provider) BETWEEN 1 AND 32),
    provider_ref          text         NOT NULL CHECK (length(provider_ref) BETWEEN 1 AND 255),
    payment_request       text         NOT NULL CHECK (length(payment_request) BETWEEN 1 AND 7089),
    payment_hash          varchar(64)  NOT NULL UNIQUE CHECK (payment_hash ~ '^[0-9a-f]{64}$'),
    amount_sats           bigint       NOT NULL CHECK (amount_sats > 0),
    memo                  text         CHECK (octet_length(memo) BETWEEN 1 AND 639),

    status                varchar(20)  NOT NULL DEFAULT 'pending'
                                       CHECK (status IN ('pending', 'settled', 'expired')),
    expires_at            timestamptz  NOT NULL,
    created_at            timestamptz  NOT NULL DEFAULT now(),
    updated_at            timestamptz  NOT NULL DEFAULT now(),

    -- NULL until settled; then the provider's time and amount of the credited deposit.
    settled_at            timestamptz,
    amount_received_sats  bigint,
    -- Kept only if it proves the payment. The hash alone settles nothing.
    preimage              varchar(64),

    UNIQUE (provider, provider_ref),
    CHECK ((status = 'settled') = (settled_at IS NOT NULL)),
    CHECK ((settled_at IS NULL) = (amount_received_sats IS NULL)),
    CHECK (amount_received_sats >= amount_sats),
    CHECK (preimage IS NULL OR (
        status = 'settled'
        AND preimage ~ '^[0-9a-f]{64}$'
        AND encode(sha256(decode(preimage, 'hex')), 'hex') = payment_hash))
);

CREATE INDEX invoices_status_created_at ON invoices (status, created_at);
CREATE INDEX invoices_expires_at ON invoices (expires_at);

CREATE FUNCTION refuse_invoice_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'invoice %: % is not allowed', OLD.id, TG_ARGV[0]
        USING ERRCODE = 'restrict_violation';
END
$$;

CREATE FUNCTION refuse_new_invoice() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'invoice %: it must begin as pending', NEW.id
        USING ERRCODE = 'restrict_violation';
END
$$;

-- The conditions stand in the triggers, so a permitted write never calls a function.
CREATE TRIGGER invoices_begin_pending BEFORE INSERT ON invoices FOR EACH ROW
    WHEN (NEW.status <> 'pending')
    EXECUTE FUNCTION refuse_new_invoice();

CREATE TRIGGER invoices_status_edges BEFORE UPDATE ON invoices FOR EACH ROW
    WHEN (NEW.status <> OLD.status
          AND (OLD.status, NEW.status) NOT IN (
              ('pending', 'settled'), ('pending', 'expired'), ('expired', 'settled')))
    EXECUTE FUNCTION refuse_invoice_change('this change of status');

CREATE TRIGGER invoices_shown_is_shown BEFORE UPDATE ON invoices FOR EACH ROW
    WHEN ((NEW.id, NEW.key_family, NEW.provider, NEW.provider_ref, NEW.payment_request,
           NEW.payment_hash, NEW.amount_sats, NEW.memo, NEW.expires_at, NEW.created_at)
          IS DISTINCT FROM
          (OLD.id, OLD.key_family, OLD.provider, OLD.provider_ref, OLD.payment_request,
           OLD.payment_hash, OLD.amount_sats, OLD.memo, OLD.expires_at, OLD.created_at))
    EXECUTE FUNCTION refuse_invoice_change('changing what was shown');

-- A preimage may still arrive later; it never changes.
CREATE TRIGGER invoices_settled_is_settled BEFORE UPDATE ON invoices FOR EACH ROW
    WHEN (OLD.status = 'settled'
          AND ((NEW.settled_at, NEW.amount_received_sats)
               IS DISTINCT FROM (OLD.settled_at, OLD.amount_received_sats)
               OR (OLD.preimage IS NOT NULL AND NEW.preimage IS DISTINCT FROM OLD.preimage)))
    EXECUTE FUNCTION refuse_invoice_change('changing a settlement');

CREATE TRIGGER invoices_settled_stay BEFORE DELETE ON invoices FOR EACH ROW
    WHEN (OLD.status = 'settled')
    EXECUTE FUNCTION refuse_invoice_change('deleting a settled invoice');

-- What happened to an invoice, when we learnt it, and by which path. Append-only:
-- nobody is granted UPDATE, and rows go only together with their invoice.
CREATE TABLE invoice_events (
    id          bigint       PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    invoice_id  uuid         NOT NULL REFERENCES invoices ON DELETE CASCADE,
    what        text         NOT NULL CHECK (length(what) BETWEEN 1 AND 40),
    how         text         NOT NULL CHECK (length(how) BETWEEN 1 AND 40),
    at          timestamptz  NOT NULL DEFAULT clock_timestamp()
);

CREATE INDEX invoice_events_invoice_id ON invoice_events (invoice_id);

GRANT SELECT, INSERT ON invoices, invoice_events TO msty_app, msty_jobs;
GRANT UPDATE (status, settled_at, amount_received_sats, preimage, updated_at)
    ON invoices TO msty_app, msty_jobs;
GRANT DELETE ON invoices TO msty_jobs;
GRANT SELECT ON invoices, invoice_events TO msty_readonly;
