"""BOLT11 and the dialects of Lightning providers. Implements `service.ports`."""
