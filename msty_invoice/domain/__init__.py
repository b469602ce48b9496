"""What an invoice is and what can go wrong. Standard library only; no clock, no I/O."""
