"""LNbits, translated: HTTP in, `service.ports` out. Facts: LNbits 1.6.2, as observed."""
