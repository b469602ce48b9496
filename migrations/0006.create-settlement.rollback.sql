SET LOCAL lock_timeout = '2s';

DROP TABLE provider_cursors;
DROP TABLE webhook_events;
DROP TABLE open_deposits;
DROP TABLE deposit_findings;
DROP TABLE deposits;
DROP INDEX invoices_expired;
DROP INDEX invoices_open;
DROP INDEX invoices_issued_at;
ALTER TABLE invoices DROP COLUMN issued_at;
