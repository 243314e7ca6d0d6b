"""Is a servable the right model: signatures, proofs, and versions that passed them."""
