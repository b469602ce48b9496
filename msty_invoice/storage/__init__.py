"""PostgreSQL and Redis: where facts are kept. Implements `service.ports`."""
