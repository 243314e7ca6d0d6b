"""The wire: values to messages and back, and the calls of the contract as values."""
