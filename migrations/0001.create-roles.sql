-- Who may do what. These are group roles: a login role is granted one of them.
--   msty_app       the web pools and the settler: no DELETE, no DDL
--   msty_jobs      the timers: what the app may, and DELETE where cleanup needs it
--   msty_readonly  people and dashboards: no secrets, no writing
-- Roles belong to the whole cluster, so another database here may have made them.
-- depends:

SET LOCAL lock_timeout = '500ms';

DO $$
DECLARE
    wanted text;
BEGIN
    FOREACH wanted IN ARRAY ARRAY['msty_app', 'msty_jobs', 'msty_readonly'] LOOP
        BEGIN
            IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) THEN
                EXECUTE format('CREATE ROLE %I NOLOGIN', wanted);
            END IF;
        EXCEPTION
            -- Another migration, in another database, was quicker.
            WHEN duplicate_object OR unique_violation THEN NULL;
            WHEN insufficient_privilege THEN
                RAISE EXCEPTION 'the migrating role may not create the role %', wanted
                    USING HINT = 'As a superuser: CREATE ROLE ' || wanted || ' NOLOGIN;';
        END;
    END LOOP;
END
$$;

-- The readiness check compares what is applied with what the code needs.
GRANT SELECT ON _yoyo_migration TO msty_app, msty_jobs, msty_readonly;
