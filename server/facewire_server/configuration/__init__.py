"""Everything that an operator can set, and where settings come from."""
