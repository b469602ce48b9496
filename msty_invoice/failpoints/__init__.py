"""Named places where a process can be made to fail. For tests; refused on mainnet."""
