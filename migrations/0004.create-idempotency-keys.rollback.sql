SET LOCAL lock_timeout = '2s';

DROP TABLE idempotency_keys;
DROP FUNCTION refuse_idempotency_change();
