"""Verifies that a servable is the right model, and chooses the replica of it that takes a call: signatures, proofs, failures, limits."""
