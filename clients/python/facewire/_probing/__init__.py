"""Finds out what is wrong with a connection; blocks."""
