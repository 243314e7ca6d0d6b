"""Stand-ins that obey the same rules as what they stand in for."""
