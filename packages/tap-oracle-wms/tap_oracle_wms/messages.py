"""Singer messages to standard output: buffered, by msgspec, every digit kept.

Nothing else writes to standard output. RECORD lines are gathered and written in one go; BATCH, STATE and the rest go out at once,
after everything that came before them.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any, BinaryIO

import msgspec
from singer_sdk.singerlib.encoding.base import GenericSingerWriter
from singer_sdk.singerlib.encoding.simple import Message, RecordMessage

BUFFER_BYTES = 256 * 1024

_encoder = msgspec.json.Encoder(decimal_format="number")


class MessageWriter(GenericSingerWriter[bytearray, Message]):
    """Writes messages in order. RECORDs wait in a buffer until it is full or another message comes."""

    def __init__(self, output: BinaryIO | None = None) -> None:
        super().__init__()
        self._output = output
        self._buffer = bytearray()

    def serialize_message(self, message: Message) -> bytearray:
        """One line, with its line feed."""
        line = bytearray(_encoder.encode(message.to_dict()))
        line += b"\n"
        return line

    def write_message(self, message: Message) -> None:
        """Write a message; anything but a RECORD goes out at once."""
        self._buffer += self.serialize_message(message)
        if not isinstance(message, RecordMessage) or len(self._buffer) >= BUFFER_BYTES:
            self.flush()

    def write_objects(self, messages: Iterable[dict[str, Any]]) -> int:
        """Write messages that are plain dicts already, many at a time; the bytes written."""
        lines = _encoder.encode_lines(messages)
        self._buffer += lines
        if len(self._buffer) >= BUFFER_BYTES:
            self.flush()
        return len(lines)

    def flush(self) -> None:
        """Hand everything over to the reader."""
        if self._buffer:
            output = self._output or sys.stdout.buffer
            waiting, self._buffer = self._buffer, bytearray()
            output.write(waiting)
            output.flush()
