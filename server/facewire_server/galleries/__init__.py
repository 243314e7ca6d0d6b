"""The ports, records and ids of a store of people."""
