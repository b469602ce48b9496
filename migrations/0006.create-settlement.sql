-- What arrives: deposits, what the provider told us of them, and how far we have read.
-- depends: 0003.create-invoices

SET LOCAL lock_timeout = '500ms';

-- The provider's own time of making the invoice, from its BOLT11: a deposit is never
-- older, so a walk down to the oldest open one finds every payment however late it is
-- listed. Filled by the code; the default serves code that does not know it yet.
ALTER TABLE invoices ADD COLUMN issued_at timestamptz NOT NULL DEFAULT now();
-- Those made before: our own clock of the same moment.
UPDATE invoices SET issued_at = created_at;

CREATE INDEX invoices_issued_at ON invoices (provider, issued_at);
CREATE INDEX invoices_open ON invoices (provider, expires_at) WHERE status = 'pending';
CREATE INDEX invoices_open_issued_at ON invoices (provider, issued_at) WHERE status = 'pending';

-- What cleanup deletes, found without reading what was paid.
CREATE INDEX invoices_expired ON invoices (expires_at) WHERE status = 'expired';

-- Every deposit that the provider reports as successful: exactly one row, one verdict.
CREATE TABLE deposits (
    provider         text         NOT NULL CHECK (length(provider) BETWEEN 1 AND 32),
    deposit_ref      text         NOT NULL CHECK (length(deposit_ref) BETWEEN 1 AND 255),
    intent_ref       text         NOT NULL CHECK (length(intent_ref) BETWEEN 1 AND 255),
    payment_request  text,
    amount_sats      bigint       NOT NULL CHECK (amount_sats >= 0),
    network          text         NOT NULL,
    -- As the provider gave it: a preimage, a transaction id, or anything else.
    proof            text,
    deposited_at     timestamptz  NOT NULL,

    verdict          text         NOT NULL CHECK (verdict IN (
                         'credited', 'second', 'underpaid', 'onchain', 'mismatch', 'transfer',
                         'unknown')),
    -- No cascade: an invoice with a deposit stays.
    invoice_id       uuid         REFERENCES invoices,
    seen_by          text         NOT NULL CHECK (length(seen_by) BETWEEN 1 AND 40),
    seen_at          timestamptz  NOT NULL DEFAULT clock_timestamp(),

    -- Set together when an operator has dealt with one that was not credited.
    resolved_at      timestamptz,
    resolution       text         CHECK (length(resolution) BETWEEN 1 AND 500),

    PRIMARY KEY (provider, deposit_ref),
    CHECK ((resolved_at IS NULL) = (resolution IS NULL)),
    CHECK (verdict NOT IN ('credited', 'second', 'underpaid', 'onchain', 'mismatch')
           OR invoice_id IS NOT NULL)
);

CREATE UNIQUE INDEX deposits_one_credit ON deposits (invoice_id) WHERE verdict = 'credited';
CREATE INDEX deposits_invoice_id ON deposits (invoice_id);
CREATE INDEX deposits_quarantine ON deposits (provider, verdict, deposited_at)
    WHERE resolved_at IS NULL AND verdict NOT IN ('credited', 'transfer');

CREATE FUNCTION refuse_deposit_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'deposit %: a credited one stays as it is', OLD.deposit_ref
        USING ERRCODE = 'restrict_violation';
END
$$;

-- The conditions stand in the triggers, as for invoices.
CREATE TRIGGER deposits_credited_stay BEFORE UPDATE ON deposits FOR EACH ROW
    WHEN (OLD.verdict = 'credited' AND NEW IS DISTINCT FROM OLD)
    EXECUTE FUNCTION refuse_deposit_change();

CREATE TRIGGER deposits_credited_are_kept BEFORE DELETE ON deposits FOR EACH ROW
    WHEN (OLD.verdict = 'credited')
    EXECUTE FUNCTION refuse_deposit_change();

-- A credited verdict stands, whatever the provider says later. What it said stands here.
CREATE TABLE deposit_findings (
    id           bigint       PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    provider     text         NOT NULL,
    deposit_ref  text         NOT NULL,
    what         text         NOT NULL CHECK (length(what) BETWEEN 1 AND 40),
    recorded     text         NOT NULL,
    reported     text         NOT NULL,
    found_at     timestamptz  NOT NULL DEFAULT clock_timestamp(),
    resolved_at  timestamptz,
    resolution   text         CHECK (length(resolution) BETWEEN 1 AND 500),

    FOREIGN KEY (provider, deposit_ref) REFERENCES deposits,
    -- Every pass sees the difference again; it is one finding.
    UNIQUE (provider, deposit_ref, what, reported),
    CHECK ((resolved_at IS NULL) = (resolution IS NULL))
);

CREATE INDEX deposit_findings_open ON deposit_findings (found_at) WHERE resolved_at IS NULL;

-- Deposits still pending at the provider: asked by id until they are terminal.
CREATE TABLE open_deposits (
    provider       text         NOT NULL,
    deposit_ref    text         NOT NULL,
    -- Its invoice does not expire meanwhile. NULL if only its reference could be read.
    intent_ref     text,
    first_seen_at  timestamptz  NOT NULL DEFAULT clock_timestamp(),
    next_ask_at    timestamptz  NOT NULL DEFAULT clock_timestamp(),
    asked          int          NOT NULL DEFAULT 0,
    -- The provider's last word on it; NULL while it is still pending.
    ended_at       timestamptz,
    outcome        text,

    PRIMARY KEY (provider, deposit_ref),
    CHECK ((ended_at IS NULL) = (outcome IS NULL))
);

CREATE INDEX open_deposits_due ON open_deposits (next_ask_at) WHERE ended_at IS NULL;
CREATE INDEX open_deposits_intent_ref ON open_deposits (provider, intent_ref)
    WHERE ended_at IS NULL;

-- Webhooks as they came (never changed), and how far we got with each.
CREATE TABLE webhook_events (
    id                bigint       PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    provider          text         NOT NULL,
    type              text         NOT NULL CHECK (length(type) BETWEEN 1 AND 40),
    ref               text         NOT NULL CHECK (length(ref) BETWEEN 1 AND 255),
    state             text         NOT NULL CHECK (length(state) BETWEEN 1 AND 40),
    body              bytea        NOT NULL,
    body_sha256       bytea        NOT NULL CHECK (octet_length(body_sha256) = 32),
    received_at       timestamptz  NOT NULL DEFAULT clock_timestamp(),

    copies            int          NOT NULL DEFAULT 1,
    last_received_at  timestamptz  NOT NULL DEFAULT clock_timestamp(),
    opened_at         timestamptz  NOT NULL DEFAULT clock_timestamp(),
    next_attempt_at   timestamptz  NOT NULL DEFAULT clock_timestamp(),
    attempts          int          NOT NULL DEFAULT 0,
    lease_token       uuid,
    lease_until       timestamptz,
    done_at           timestamptz,
    parked_at         timestamptz,
    outcome           text,

    -- The same event with another body is kept beside the first.
    UNIQUE (provider, type, ref, state, body_sha256),
    CHECK (done_at IS NULL OR parked_at IS NULL)
);

CREATE INDEX webhook_events_due ON webhook_events (next_attempt_at)
    WHERE done_at IS NULL AND parked_at IS NULL;
CREATE INDEX webhook_events_received_at ON webhook_events (received_at);

-- How far each provider's list was walked. One row a provider; the lease is in it.
CREATE TABLE provider_cursors (
    provider             text         PRIMARY KEY,
    run_token            uuid,
    run_until            timestamptz,

    -- Every deposit older than this, by the provider's clock, has been recorded.
    done_down_to         timestamptz,
    -- The walk under way, or NULL: when it started (our clock), how deep it goes, what
    -- was newest when it started, and where it goes on.
    walk_started_at      timestamptz,
    walk_depth           text         CHECK (walk_depth IN ('minute', 'hour', 'day')),
    walk_floor           timestamptz,
    walk_top             timestamptz,
    walk_next            text,
    -- A page of it may have left deposits out, so it cannot prove that one was not paid.
    walk_gap             boolean      NOT NULL DEFAULT false,
    -- When the newest walk that reached its floor had started, by depth.
    complete_started_at  timestamptz,
    hour_started_at      timestamptz,
    day_started_at       timestamptz
);

GRANT SELECT, INSERT ON deposits, deposit_findings, open_deposits, webhook_events,
    provider_cursors TO msty_app, msty_jobs;
-- The proof, as one that is demanded may come later.
GRANT UPDATE (verdict, invoice_id, seen_by, proof, resolved_at, resolution) ON deposits
    TO msty_app, msty_jobs;
GRANT UPDATE (resolved_at, resolution) ON deposit_findings TO msty_app, msty_jobs;
GRANT UPDATE (intent_ref, next_ask_at, asked, ended_at, outcome) ON open_deposits
    TO msty_app, msty_jobs;
GRANT UPDATE (copies, last_received_at, opened_at, next_attempt_at, attempts, lease_token,
    lease_until, done_at, parked_at, outcome) ON webhook_events TO msty_app, msty_jobs;
GRANT UPDATE ON provider_cursors TO msty_app, msty_jobs;
GRANT DELETE ON open_deposits, webhook_events TO msty_jobs;
GRANT SELECT ON deposits, deposit_findings, open_deposits, provider_cursors TO msty_readonly;
-- Without the body, which may say anything.
GRANT SELECT (id, provider, type, ref, state, body_sha256, received_at, copies, last_received_at,
    opened_at, next_attempt_at, attempts, lease_token, lease_until, done_at, parked_at, outcome)
    ON webhook_events TO msty_readonly;
