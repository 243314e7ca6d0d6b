"""What a store of people promises: its ports, records and ids."""
