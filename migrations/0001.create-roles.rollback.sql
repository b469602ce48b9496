-- The roles stay: they are the cluster's, and hold nothing once the tables are gone.
SET LOCAL lock_timeout = '500ms';

REVOKE SELECT ON _yoyo_migration FROM msty_app, msty_jobs, msty_readonly;
