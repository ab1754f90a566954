"""Logon with a password (O5LOGON, 12c verifier 0x4815): both sides prove that they know it, and neither sends it in clear.

Phase one: the server sends its half A of the session key, encrypted with the verifier. Phase two: the client sends its half B the same
way and the password encrypted with the key made of both; the server makes the verifier anew from it and compares.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from oracle_mimic.door import Verifier
from oracle_mimic.errors import OracleError
from oracle_mimic.verifier import ITERATIONS, SALT_BYTES, make_verifier
from oracle_mimic.wire.buffer import Reader, WireError, Writer

VERIFIER_12C = 0x4815
MODE_CHANGE_PASSWORD = 0x00000002
# SYSDBA, SYSOPER, SYSASM, SYSBACKUP, SYSDG, SYSKM, SYSRAC
MODE_ADMINISTRATIVE = 0x20 | 0x40 | 0x00400000 | 0x01000000 | 0x02000000 | 0x04000000 | 0x08000000
_KEY_ROUNDS = 3  # AUTH_PBKDF2_SDER_COUNT
_HALF = 32
_MSG_PARAMETER = 8


@dataclass(slots=True)
class LogonRequest:
    """Either phase: who logs on, how, and the client's key/value pairs."""

    user: str
    mode: int
    pairs: dict[str, str] = field(default_factory=dict)


def read_request(reader: Reader) -> LogonRequest:
    """The body of function 118 or 115 (after the function header)."""
    has_user = reader.u1()
    length = reader.ub(4)
    mode = reader.ub(4)
    reader.u1()
    count = reader.ub(4)
    reader.skip_u1(2)
    user = (reader.clr() or b"") if has_user else b""
    if len(user) != (length if has_user else 0) or count > 200:
        raise WireError("logon message with a wrong length")
    request = LogonRequest(stored_name(user.decode(errors="replace")), mode)
    for _ in range(count):
        key = reader.two().decode(errors="replace").rstrip("\0")
        request.pairs[key] = reader.two().decode(errors="replace").rstrip("\0")
        reader.ub(4)
    return request


def stored_name(user: str) -> str:
    """A user's name as the dictionary holds it: upper case unless quoted."""
    if len(user) > 2 and user[0] == user[-1] == '"':
        return user[1:-1]
    return user.upper()


def reply(pairs: dict[str, str], flags: dict[str, int] | None = None) -> bytes:
    """Key/value pairs as both phases are answered."""
    out = Writer().u1(_MSG_PARAMETER).ub(len(pairs))
    for key, value in pairs.items():
        out.two(key).two(value).ub((flags or {}).get(key, 0))
    return bytes(out.data)


class Logon:
    """The server's side of one logon. An unknown user goes through the same steps and fails at the end."""

    def __init__(self, verifier: Verifier | None) -> None:
        self._known = verifier is not None
        self._verifier = verifier or make_verifier(secrets.token_hex(16))
        self._half_a = secrets.token_bytes(_HALF)
        self._key_salt = secrets.token_bytes(SALT_BYTES)
        self._session_key = b""  # once both halves are known

    def renew(self, verifier: Verifier) -> None:
        """The password has changed since the logon: this is the verifier it is compared with from now on."""
        self._verifier, self._known = verifier, True

    def challenge(self) -> bytes:
        """The answer to phase one."""
        pairs = {
            "AUTH_SESSKEY": _encrypt(self._verifier.key, self._half_a).hex().upper(),
            "AUTH_VFR_DATA": self._verifier.salt.hex().upper(),
            "AUTH_PBKDF2_CSK_SALT": self._key_salt.hex().upper(),
            "AUTH_PBKDF2_VGEN_COUNT": str(ITERATIONS),
            "AUTH_PBKDF2_SDER_COUNT": str(_KEY_ROUNDS),
        }
        return reply(pairs, {"AUTH_VFR_DATA": VERIFIER_12C})

    def check(self, request: LogonRequest) -> str:
        """The AUTH_SVR_RESPONSE that proves the server to the client; ORA-01017 for a wrong password or an unknown user."""
        denied = OracleError(1017, "invalid username/password; logon denied")
        try:
            half_b = _decrypt(self._verifier.key, bytes.fromhex(request.pairs["AUTH_SESSKEY"]))
            encrypted = bytes.fromhex(request.pairs["AUTH_PASSWORD"])
        except (KeyError, ValueError) as error:
            raise denied from error
        both = (half_b + self._half_a).hex().upper().encode()
        self._session_key = hashlib.pbkdf2_hmac("sha512", both, self._key_salt, _KEY_ROUNDS, _HALF)
        if len(half_b) != _HALF or not self.is_password(encrypted) or not self._known:
            raise denied
        return _encrypt(self._session_key, secrets.token_bytes(16) + b"SERVER_TO_CLIENT").hex().upper()

    def is_password(self, encrypted: bytes) -> bool:
        """Whether this is the user's password, encrypted by the client with the session's key."""
        password = self.read_password(encrypted)
        return password is not None and hmac.compare_digest(make_verifier(password, self._verifier.salt).key, self._verifier.key)

    def read_password(self, encrypted: bytes) -> str | None:
        """A password as the client sends it, behind 16 random bytes; None for what is none."""
        try:
            padded = _decrypt(self._session_key, encrypted)
        except ValueError:
            return None
        padding = padded[-1] if padded else 0
        if not 1 <= padding <= 16 or padded[-padding:] != bytes([padding]) * padding:
            return None
        try:
            return padded[16:-padding].decode()
        except UnicodeDecodeError:
            return None


def _encrypt(key: bytes, data: bytes) -> bytes:
    encryptor = Cipher(algorithms.AES(key), modes.CBC(bytes(16))).encryptor()
    return encryptor.update(data) + encryptor.finalize()


def _decrypt(key: bytes, data: bytes) -> bytes:
    decryptor = Cipher(algorithms.AES(key), modes.CBC(bytes(16))).decryptor()
    return decryptor.update(data) + decryptor.finalize()
