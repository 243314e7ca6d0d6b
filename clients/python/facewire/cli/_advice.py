"""The library's advice in terms of the command line."""

import errno

from facewire import ConnectionFault, DeadlineError, ErrorReason, FacewireError, UnreachableError

__all__ = ["BY_REASON", "advice_for", "system_text"]

BY_REASON = {
    ErrorReason.NO_FACE: "Small faces are found with a smaller --min-face-px.",
    ErrorReason.IMAGE_UNDECODABLE: "",  # the server's text names the format and what to do
    ErrorReason.IMAGE_TOO_MANY_PIXELS: "Make the picture smaller.",
    ErrorReason.SEVERAL_FACES: "Crop the picture, or choose a face with --selection.",
    ErrorReason.TIMED_OUT: "Try again, with a smaller picture or a larger --min-face-px.",
    ErrorReason.TOKEN_REQUIRED: "Give the server's token in FACEWIRE_TOKEN, or its file in FACEWIRE_CLIENT_TOKEN_FILE.",
    ErrorReason.ROLE_REQUIRED: "Ask the operator for a token with such a role, and for this gallery.",
    ErrorReason.GALLERY_NOT_FOUND: "Create it with `facewire gallery create`, or name another with --gallery.",
    ErrorReason.GALLERY_EXISTS: "`facewire gallery list` lists the galleries.",
    ErrorReason.IDENTITY_NOT_FOUND: "`facewire identities` lists the people of a gallery.",
    ErrorReason.NEGATIVE_EXAMPLE_NOT_FOUND: "`facewire identity negative-examples` lists those of a person.",
}

_BY_FAULT = {
    ConnectionFault.UNKNOWN_HOST: "Look into --server (FACEWIRE_SERVER).",
    ConnectionFault.REFUSED: "Is the server running? If so, look into --server (FACEWIRE_SERVER).",
    ConnectionFault.NO_ROUTE: "Look into --server (FACEWIRE_SERVER), and into the network.",
    ConnectionFault.NO_RESPONSE: "Look into --server (FACEWIRE_SERVER), and whether a firewall lets it through.",
    ConnectionFault.NOT_GRPC: "Look into the port of --server (FACEWIRE_SERVER). A proxy before the server must pass HTTP/2 and gRPC on.",
    ConnectionFault.TLS_NEEDED: "Turn TLS on: --tls-ca FILE (FACEWIRE_TLS_CA), or --tls for the public roots.",
    ConnectionFault.TLS_NOT_SPOKEN: "Leave --tls-ca (FACEWIRE_TLS_CA) and --tls out, or turn TLS on at the server.",
    ConnectionFault.CLIENT_CERTIFICATE: "Name yours with --client-cert and --client-key (FACEWIRE_CLIENT_CERT, FACEWIRE_CLIENT_KEY).",
    ConnectionFault.UNTRUSTED: "Name its PEM file, or that of its authority, with --tls-ca (FACEWIRE_TLS_CA).",
    ConnectionFault.OTHER_NAME: "Use an address that the certificate names: --server (FACEWIRE_SERVER).",
}


def advice_for(error: FacewireError) -> str:
    """Returns what to do next, in terms of the command line; "" if that is not known."""
    if isinstance(error, UnreachableError):
        return _BY_FAULT.get(error.fault, error.advice)
    if isinstance(error, DeadlineError) and error.reason is ErrorReason.UNSPECIFIED:
        return "Allow more with --timeout."
    return BY_REASON.get(error.reason, error.advice)


_BY_NUMBER = {
    errno.ENOSPC: "Free some room on its disk, then try again.",
    errno.EDQUOT: "Free some room in the quota of its disk, then try again.",
    errno.EFBIG: "Raise the limit of a file's size (ulimit -f), or name another place.",
    errno.EROFS: "Make its disk writable, or name another place.",
}
"""By the number of an error of the operating system."""


def system_text(error: OSError) -> str:
    """Returns what happened, to which file, and what to do next if that is known."""
    if not error.strerror:  # ours, a sentence
        return str(error)
    text = ": ".join(str(part) for part in (error.filename, error.strerror) if part)
    advice = _BY_NUMBER.get(error.errno or 0, "")
    return f"{text}. {advice}" if advice else text
