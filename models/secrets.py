"""Keys for sensitive columns: encrypted at rest, found again by a keyed hash (promise 9)."""

from __future__ import annotations

import hashlib
import hmac
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from models.trouble import Trouble


class WrongSecretKey(Trouble):
    """CUNYI_SECRET_KEY is not the key this database was written with. Set the key that was in use then."""


class Keyring:
    """Two keys derived from CUNYI_SECRET_KEY: one encrypts, one makes look-up hashes."""

    def __init__(self, secret: str) -> None:
        if len(secret) < 16:
            raise ValueError("CUNYI_SECRET_KEY needs at least 16 characters")
        self._cipher = AESGCM(_derive(secret, b"cunyi field encryption"))
        self._lookup = _derive(secret, b"cunyi look-up hash")

    def seal(self, text: str, *, place: str) -> bytes:
        """Encrypt for one place (`table.column`); a value moved to another column will not open."""
        nonce = os.urandom(12)
        return nonce + self._cipher.encrypt(nonce, text.encode(), place.encode())

    def open(self, sealed: bytes, *, place: str) -> str:
        """Decrypt. Raises WrongSecretKey when the key, or the place, is not the one it was sealed with."""
        try:
            return self._cipher.decrypt(sealed[:12], sealed[12:], place.encode()).decode()
        except InvalidTag:
            raise WrongSecretKey from None

    def lookup(self, text: str, *, place: str) -> str:
        """A keyed hash under which an equal value can be found without being readable."""
        return hmac.new(self._lookup, f"{place}\0{text}".encode(), hashlib.sha256).hexdigest()[:32]


def _derive(secret: str, purpose: bytes) -> bytes:
    return HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=purpose).derive(secret.encode())
