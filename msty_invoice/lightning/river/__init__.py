"""River Lightning Services, translated: HTTP in, `service.ports` out."""
