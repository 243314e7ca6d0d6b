"""The blocking client. `_aio` has a file of the same name for each file here."""
