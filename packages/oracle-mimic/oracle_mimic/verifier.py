"""How a password is stored: the 12c verifier (type 0x4815), from which the password cannot be read back.

Shared by both rooms: the SQL room makes verifiers (CREATE USER ... IDENTIFIED BY), the wire room checks logons against them.
"""

from __future__ import annotations

import hashlib
import secrets

from oracle_mimic.door import Verifier

ITERATIONS = 4096  # PBKDF2 rounds, told to the client at logon; Oracle's own default
SALT_BYTES = 16


def make_verifier(password: str, salt: bytes | None = None) -> Verifier:
    """The verifier of a password, with a new random salt unless one is given."""
    salt = salt or secrets.token_bytes(SALT_BYTES)
    stretched = hashlib.pbkdf2_hmac("sha512", password.encode(), salt + b"AUTH_PBKDF2_SPEEDY_KEY", ITERATIONS, 64)
    return Verifier(salt, hashlib.sha512(stretched + salt).digest()[:32])
