"""Values as Oracle keeps them in bytes, and hashes of them."""

from __future__ import annotations

import hashlib
import uuid

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from oracle_mimic.errors import OracleError
from oracle_mimic.sql.expressions.date_mask import civil_from_days
from oracle_mimic.sql.expressions.registry import udf
from oracle_mimic.sql.expressions.zones import NANOS


@udf("BIGINT", returns="BLOB")
def date_bytes(seconds: int) -> bytes:
    """The seven bytes of a DATE: century, year, month, day, hour, minute, second, the first two in excess of 100."""
    days, rest = divmod(seconds, 86400)
    year, month, day = civil_from_days(days)
    shown = year if year > 0 else year - 1
    century, within = divmod(abs(shown), 100)
    sign = 1 if shown > 0 else -1
    return bytes([100 + sign * century, 100 + sign * within, month, day, rest // 3600 + 1, rest // 60 % 60 + 1, rest % 60 + 1])


@udf("HUGEINT", returns="BLOB")
def timestamp_bytes(nanos: int) -> bytes:
    """The eleven bytes of a TIMESTAMP, seven when it has no fraction."""
    seconds, fraction = divmod(int(nanos), NANOS)
    return date_bytes(seconds) + (fraction.to_bytes(4, "big") if fraction else b"")


def _binary_octets(column: pa.Array, floating: str, unsigned: str) -> tuple[pa.Array, pa.Array]:
    """IEEE numbers big end first; the sign bit set for those that are not negative, every bit turned round for the others.

    So they sort as numbers do. There is one zero and one NaN, which is the largest.
    """
    values = np.asarray(column.fill_null(0).to_numpy(zero_copy_only=False), dtype=floating)
    values = np.where(values == 0, np.zeros(1, floating), np.where(np.isnan(values), np.array([np.nan], floating), values))
    bits = np.abs(values).view(unsigned)
    top = np.array(1, dtype=unsigned) << np.array(values.itemsize * 8 - 1, dtype=unsigned)
    coded = np.where(values < 0, ~(bits | top), bits | top).astype(f">{unsigned}")
    octets = pa.Array.from_buffers(pa.binary(values.itemsize), len(values), [None, pa.py_buffer(coded.tobytes())]).cast(pa.binary())
    return pc.if_else(column.is_null(), None, octets), pa.array(np.ones(len(values), dtype=bool))


@udf("DOUBLE", returns="BLOB", quick=lambda column: _binary_octets(column, "f8", "u8"))
def double_bytes(value: float) -> bytes:
    """The eight bytes of a BINARY_DOUBLE."""
    return bytes(_binary_octets(pa.array([value], pa.float64()), "f8", "u8")[0][0].as_py())


@udf("FLOAT", returns="BLOB", quick=lambda column: _binary_octets(column, "f4", "u4"))
def single_bytes(value: float) -> bytes:
    """The four bytes of a BINARY_FLOAT."""
    return bytes(_binary_octets(pa.array([value], pa.float32()), "f4", "u4")[0][0].as_py())


_ALGORITHMS = {"SHA1": hashlib.sha1, "SHA256": hashlib.sha256, "SHA384": hashlib.sha384, "SHA512": hashlib.sha512, "MD5": hashlib.md5}


@udf("BLOB", "VARCHAR", returns="BLOB", nulls=True)
def standard_hash(data: bytes | None, method: str | None) -> bytes:
    """STANDARD_HASH; NULL is hashed as no bytes. ORA-00904 for an unknown method."""
    algorithm = _ALGORITHMS.get((method or "").upper())
    if algorithm is None:
        raise OracleError(904, f'"{method}": invalid identifier')
    return algorithm(data or b"", usedforsecurity=False).digest()


_CRYPTO = {2: "MD5", 3: "SHA1", 4: "SHA256", 5: "SHA384", 6: "SHA512"}


@udf("BLOB", "BIGINT", returns="BLOB")
def crypto_hash(data: bytes, kind: int) -> bytes:
    """DBMS_CRYPTO.HASH with its numbered methods; ORA-28817 for another."""
    if kind not in _CRYPTO:
        raise OracleError(28817, "PL/SQL function returned an error.")
    return standard_hash(data, _CRYPTO[kind])


@udf("BLOB", returns="VARCHAR")
def text_of_raw(data: bytes) -> str:
    """UTL_RAW.CAST_TO_VARCHAR2; bytes that are no UTF-8 are refused."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise OracleError(29275, "partial multibyte character") from None


@udf("BIGINT", returns="BLOB", volatile=True)
def sys_guid(row: int) -> bytes:
    """A new identifier for every row."""
    del row
    return uuid.uuid4().bytes
