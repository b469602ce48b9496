SET LOCAL lock_timeout = '500ms';

DROP TABLE idempotency_keys;
DROP FUNCTION refuse_idempotency_change();
