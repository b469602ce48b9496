SET LOCAL lock_timeout = '500ms';

DROP TABLE provider_cursors;
DROP TABLE webhook_events;
DROP TABLE open_deposits;
DROP TABLE deposit_findings;
DROP TABLE deposits;
DROP FUNCTION refuse_deposit_change();
DROP INDEX invoices_expired;
DROP INDEX invoices_open_issued_at;
DROP INDEX invoices_open;
DROP INDEX invoices_issued_at;
ALTER TABLE invoices DROP COLUMN issued_at;
