"""Other implementations of BOLT #11, asked what they make of an invoice."""
