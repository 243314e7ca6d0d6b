"""Verifies that a servable is the right model: signatures, proofs, and versions that passed them."""
