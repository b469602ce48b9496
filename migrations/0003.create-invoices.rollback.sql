SET LOCAL lock_timeout = '500ms';

DROP TABLE invoice_events;
DROP TABLE invoices;
DROP FUNCTION refuse_invoice_change();
DROP FUNCTION refuse_new_invoice();
