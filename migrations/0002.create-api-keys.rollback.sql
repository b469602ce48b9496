SET LOCAL lock_timeout = '500ms';

DROP TABLE api_key_secrets;
DROP TABLE api_keys;
