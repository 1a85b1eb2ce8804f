"""The tokens by which clients show that they may use the tunnel."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from typing import TYPE_CHECKING, Final

from .mistake import MistakeError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

#: What a subprotocol begins with that is a token: a browser can put it nowhere else but into the address.
SUBPROTOCOL_PREFIX: Final = "commonsocket.token."
# NIST SP 800-63B asks for 64 bits of entropy at least, which take 11 characters of base64; a password is no token.
_SHORTEST: Final = 16  # characters


class Tokens:
    """A set of secrets. It keeps their digests only, and shows none of them."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self._digests = [_digest(secret) for secret in secrets]

    def accept(self, secret: str) -> bool:
        """Return whether `secret` is one of them, after a time that depends on none of them."""
        digest = _digest(secret)
        # All of them, whichever is the right one.
        return sum(hmac.compare_digest(digest, each) for each in self._digests) > 0

    def replace_by(self, others: Tokens) -> None:
        """Accept from now on what `others` accepts, and nothing else."""
        self._digests = others._digests


def read_tokens(file: Path) -> Tokens:
    """Return the tokens of `file`, one a line but for empty ones and comments (`#`); raises `MistakeError`."""
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise MistakeError(f"--token-file {file}: cannot be read: {error}") from error
    secrets = []
    for number, line in enumerate(lines, start=1):
        secret = line.strip()
        if not secret or secret.startswith("#"):
            continue
        if len(secret) < _SHORTEST:
            raise MistakeError(
                f"{file}:{number}: a token needs {_SHORTEST} characters at least; try `openssl rand -hex 16`"
            )
        secrets.append(secret)
    if not secrets:
        raise MistakeError(f"--token-file {file}: there is no token in it, one a line")
    return Tokens(secrets)


def token_of_subprotocol(subprotocol: str) -> str | None:
    """Return the token that is in an offered subprotocol (base64url without padding, of UTF-8), or None."""
    if not subprotocol.startswith(SUBPROTOCOL_PREFIX):
        return None
    text = subprotocol.removeprefix(SUBPROTOCOL_PREFIX)
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return None


def _digest(secret: str) -> bytes:
    # Of one length, whatever the secret's: the comparison would else tell how long it is.
    return hashlib.sha256(secret.encode(errors="surrogatepass")).digest()
