"""Addresses of sources: which texts are one, and what of it may be shown."""

__all__ = ["is_address", "redacted"]


def is_address(source: str) -> bool:
    """Returns whether a source is an address in a network, and no file or device."""
    return "://" in source and not source.startswith("file://")


def redacted(source: str) -> str:
    """Returns a source for logs and screens: of an address scheme, host and path; the rest may be secret.

    Passwords with any of "/@?" in them are common, though an address should not have them. Some cameras want user and
    password in the path: /user=NAME_password=WORD_channel=1.sdp.
    """
    scheme, is_address, place = source.partition("://")
    if not is_address:
        return source
    place, _, query = place.partition("?")
    if "@" in query:  # or is it the rest of a password?
        return f"{scheme}://..."
    host, slash, path = place.rpartition("@")[2].partition("#")[0].partition("/")
    return f"{scheme}://{host}{slash}{'...' if '=' in path else path}"
