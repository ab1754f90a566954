"""The handshake before logon: connect descriptor, ACCEPT or REFUSE, and the protocol and data type exchanges.

The server offers the smallest set of capabilities its clients accept; every one left off removes a part of the protocol that would
have to be spoken faithfully. The client uses the smaller of its own and the server's value.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from oracle_mimic.wire import packets
from oracle_mimic.wire.buffer import Reader, WireError, Writer

PROTOCOL_VERSION = 315  # below 318: no fast authentication, no out-of-band check, no end-of-response flag, so no pipelines
FIELD_VERSION = 12  # 19.1: no token per function (18), no annotations (20), no vectors (24), no native BOOLEAN binds (17)
CHARSET_UTF8 = 873
CHARSET_UTF16 = 2000
MSG_PROTOCOL, MSG_DATA_TYPES = 1, 2
_SERVICE_OPTIONS = 0x0001  # without 0x0400: no urgent TCP byte for breaks, a MARKER packet instead
_NSI_FLAGS = 0x04  # without 0x10: no native network encryption
_ACCEPT_HEADER = 41  # bytes of an ACCEPT of this version, with the packet's own header
_RUNTIME_32K = 0x04  # VARCHAR2 up to 32767 bytes: decides in which order long binds are sent

SERVICE_UNKNOWN, SID_UNKNOWN, NO_SERVICE_NAMED, NO_SUCH_HANDLER = 12514, 12505, 12504, 12520


@dataclass(frozen=True, slots=True)
class ConnectData:
    """What a connect descriptor asks for; one of service_name and sid is set. server: the kind of process, None for the listener's."""

    service_name: str | None
    sid: str | None
    server: str | None = None


def read_connect(stream: packets.PacketStream, timeout: float) -> ConnectData:
    """Read the CONNECT packet, and the DATA packet that carries its descriptor when that is long. WireError if it is neither."""
    packet = stream.read_packet(timeout)
    if packet.type != packets.CONNECT or len(packet.body) < 20:
        raise WireError("the first packet is no CONNECT")
    length = int.from_bytes(packet.body[16:18], "big")
    offset = int.from_bytes(packet.body[18:20], "big") - 8  # counted from the start of the packet
    text = packet.body[offset : offset + length] if offset >= 0 else b""
    if not text and length:
        more = stream.read_packet(stream.message_timeout)
        if more.type != packets.DATA:
            raise WireError("the connect descriptor is missing")
        text = more.body
    if len(text) != length:
        raise WireError("the connect descriptor is cut")
    try:
        return parse_descriptor(text.decode())
    except UnicodeDecodeError as error:
        raise WireError("the connect descriptor is no text") from error


def parse_descriptor(text: str) -> ConnectData:
    """SERVICE_NAME or SID of `(DESCRIPTION=...(CONNECT_DATA=(SERVICE_NAME=...)...))`."""

    def value(key: str) -> str | None:
        found = re.search(rf"\(\s*{key}\s*=\s*([^()]*?)\s*\)", text, re.IGNORECASE)
        return found.group(1).strip('"') if found else None

    return ConnectData(value("SERVICE_NAME"), value("SID"), value("SERVER"))


def accept_body() -> bytes:
    """ACCEPT: versions, options, the packet size that the client sizes its buffers to."""
    out = Writer().u16be(PROTOCOL_VERSION).u16be(_SERVICE_OPTIONS)
    out.u16be(packets.SDU).u16be(packets.SDU).u16be(1)  # sizes of before version 315, byte order
    out.u16be(0).u16be(_ACCEPT_HEADER).u1(_NSI_FLAGS, _NSI_FLAGS).raw(bytes(8))  # no data of the listener's behind the header
    out.u32be(packets.SDU).u32be(packets.SDU).u1(0)  # session and transport data units, no compression
    return bytes(out.data)


def refuse_body(code: int) -> bytes:
    """REFUSE with the listener's error code in the form that clients search for."""
    text = f"(DESCRIPTION=(TMP=)(VSNNUM=318767104)(ERR={code})(ERROR_STACK=(ERROR=(CODE={code})(EMFI=4))))".encode()
    return bytes(Writer().u1(0x22, 0).u16be(len(text)).raw(text).data)


def read_protocol(reader: Reader) -> str:
    """The client's protocol message (its leading byte is read already); its name."""
    while reader.u1() != 0:
        pass  # the versions it speaks, closed by a zero
    name = bytearray()
    while byte := reader.u1():
        name.append(byte)
        if len(name) > 1000:
            raise WireError("the client's name does not end")
    return name.decode(errors="replace")


def protocol_reply(banner: str) -> bytes:
    """Versions, character sets and capability bytes of the server."""
    compile_caps = bytearray(42)
    compile_caps[7] = FIELD_VERSION  # byte 40 (explicit request boundaries) stays 0: no session-state piggybacks
    runtime_caps = bytearray(7)
    runtime_caps[6] = _RUNTIME_32K
    form_of_use = bytes(9) + CHARSET_UTF16.to_bytes(2, "big")  # the client looks for the national character set at 6 + 0 + 0 + 3
    out = Writer().u1(MSG_PROTOCOL, 6, 0).raw(banner.encode()).u1(0)
    out.raw(CHARSET_UTF8.to_bytes(2, "little")).u1(1).raw(bytes(2))
    return bytes(out.u16be(len(form_of_use)).raw(form_of_use).clr(bytes(compile_caps)).clr(bytes(runtime_caps)).data)


def read_data_types(reader: Reader) -> None:
    """The client's list of data type representations (its leading byte is read already); none of it changes what we send."""
    reader.skip_u1(5)  # two character sets and flags
    reader.clr()
    reader.clr()
    while reader.u16be():  # then: the type to convert to, its representation, 0
        reader.skip_u1(6)


def data_types_reply() -> bytes:
    """An empty list: the representations are the client's defaults."""
    return bytes((MSG_DATA_TYPES, 0, 0))
