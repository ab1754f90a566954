"""Singer messages from standard input, decoded by msgspec: integers of any size, every digit of every number (Decimal)."""

from __future__ import annotations

import sys
from decimal import Decimal
from typing import IO, Any

import msgspec
from singer_sdk.singerlib.encoding.base import GenericSingerReader
from singer_sdk.singerlib.exceptions import InvalidInputLine

_decoder = msgspec.json.Decoder(float_hook=Decimal)


class MessageReader(GenericSingerReader[str]):
    """Reads one message a line. `line_bytes` is the length of the line being handled."""

    line_bytes = 0

    @property
    def default_input(self) -> IO[str]:
        """Standard input."""
        return sys.stdin

    def deserialize_json(self, line: str) -> dict[str, Any]:
        """A line as a message. Raises InvalidInputLine, without the line: it may hold anything."""
        self.line_bytes = len(line)
        try:
            message: dict[str, Any] = _decoder.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            text = f"a line of {len(line)} characters is not a JSON message: {error}"
            raise InvalidInputLine(text) from error
        return message
