"""Every kind of message, as the driver sends it and changed at random: a clean answer or a clean end, soon, and no growing memory."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest
from client_messages import Recorded, record
from oracle_mimic.door import Binds
from oracle_mimic.errors import OracleError
from oracle_mimic.server import MimicServer
from oracle_mimic.sql.database import Database
from oracle_mimic.wire import logon, negotiate, packets
from oracle_mimic.wire.authentication import Authentication
from oracle_mimic.wire.buffer import Reader, WireError
from oracle_mimic.wire.calls import SessionCalls
from oracle_mimic.wire.packets import PacketStream, PeerGoneError
from oracle_mimic.wire.statements import UnreadableError

pytestmark = pytest.mark.mimic_only
USER, PASSWORD = "FUZZ", "Fuzz_1234"
EDGES = [0, 1, 2, 4, 8, 252, 253, 254, 255, 0x7F, 0x80]
SLOWEST_SECONDS = 5.0  # an input takes milliseconds; this is for a machine that does other things too
MOST_GROWTH_MB = 120


def changed(message: bytes, others: list[bytes], chance: random.Random) -> bytes:
    """One to four changes: bytes set, put in, taken out, doubled, the end cut off, or the tail of another message."""
    data = bytearray(message)
    for _ in range(chance.choice((1, 1, 2, 4))):
        place = chance.randrange(len(data) + 1) if chance.random() < 0.5 else chance.randrange(min(len(data), 60) + 1)
        size = chance.choice((1, 1, 2, 3, 8))
        noise = bytes(chance.choice(EDGES) if chance.random() < 0.5 else chance.randrange(256) for _ in range(size))
        what = chance.randrange(6)
        if what == 0:
            data[place : place + size] = noise
        elif what == 1:
            data[place:place] = noise
        elif what == 2:
            del data[place : place + size]
        elif what == 3:
            data[place:place] = data[place : place + 40]
        elif what == 4:
            del data[place:]
        else:
            other = chance.choice(others)
            data[place:] = other[chance.randrange(len(other)) :]
    return bytes(data)


def nothing_more() -> bytes:
    raise PeerGoneError("the message ends here")


class OneMessage:
    """A channel whose client sends some bytes and goes."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def recv(self, size: int, timeout: float | None) -> bytes:
        data, self._data = self._data, b""
        return data

    def send(self, buffers: list[bytes | memoryview]) -> None: ...

    def close(self) -> None: ...


class Target:
    """Takes messages in the place of a connection; what is not a clean end is raised."""

    def __init__(self, server: MimicServer, recorded: Recorded) -> None:
        assert isinstance(server.database, Database)
        self._database = server.database
        self._recorded = recorded
        self._reader = Reader(nothing_more)
        self.fresh_session()

    def fresh_session(self) -> None:
        """A new session in which all that was recorded has run, so that its cursors, LOBs and loads are there."""
        if hasattr(self, "_calls"):
            self._calls.close()
        session = self._database.open_session(USER, {})
        self._calls = SessionCalls(self._database, session, self._reader, lambda point: None, 100, change_password=lambda request: None)
        for name in ("fuzzed", "loaded"):
            if self._database.catalog.get(USER, name.upper()) is not None:
                session.execute(f"drop table {name} purge", Binds())
        done = [self.call(message) for message in self._recorded.calls[:-1]]  # but for the goodbye
        assert done.count(True) > 0.9 * len(done)

    def call(self, message: bytes) -> bool:
        """A request of a session that is logged on; whether it did what it asked for."""
        self._reader.data, self._reader.pos = bytearray(message), 0
        try:
            for _part in self._calls.read()():
                pass
        except (WireError, PeerGoneError, UnreadableError):
            return False
        except OracleError as error:
            if error.code == 604:  # an error that nobody foresaw
                raise
            self._calls.abandon()
            return False
        return True

    def connect(self, body: bytes) -> None:
        """The first packet."""
        header = (len(body) + 8).to_bytes(2, "big") + b"\0\0" + bytes((packets.CONNECT, 0, 0, 0))
        try:
            negotiate.read_connect(PacketStream(OneMessage(header + body), lambda: None, 0.1), 0.1)
        except (WireError, PeerGoneError):
            pass

    def log_on(self, message: bytes) -> None:
        """A message before the session is there."""
        reader = Reader(nothing_more)
        reader.data += message
        authentication = Authentication(self._database, "FREEPDB1", 100)
        try:
            kind = reader.u1()
            if kind == negotiate.MSG_PROTOCOL:
                negotiate.read_protocol(reader)
            elif kind == negotiate.MSG_DATA_TYPES:
                negotiate.read_data_types(reader)
            else:
                phase_one = reader.u1() == 118
                reader.u1()
                request = logon.read_request(reader)
                if phase_one:
                    authentication.phase_one(request)
                else:
                    authentication.phase_two(request)
        except (WireError, PeerGoneError, OracleError):
            pass


def resident_mb() -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS"))


@pytest.mark.parametrize(("inputs", "seed"), [(300, 1), pytest.param(100_000, 2, marks=[pytest.mark.long, pytest.mark.timeout(1800)])])
def test_changed_messages_of_every_kind(inputs: int, seed: int) -> None:
    chance = random.Random(seed)
    with MimicServer(users={USER: PASSWORD}, dba=[USER]) as server:
        recorded = record(server, USER, PASSWORD)
        target = Target(server, recorded)
        everything = [recorded.connect, *recorded.logon, *recorded.calls]
        rest = (recorded.calls, target.call)
        before = 0.0
        for number in range(inputs):
            if number % 500 == 499:
                target.fresh_session()
            if number == min(2_000, inputs // 2):
                before = resident_mb()
            kind = chance.randrange(20)
            source, take = [([recorded.connect], target.connect), (recorded.logon, target.log_on)][kind] if kind < 2 else rest
            message = changed(chance.choice(source), everything, chance)
            started = time.monotonic()
            try:
                take(message)
            except Exception as error:
                error.add_note(f"input {number} of seed {seed}: {take.__name__}({message.hex()})")
                raise
            assert time.monotonic() - started < SLOWEST_SECONDS, message.hex()
        assert resident_mb() - before < MOST_GROWTH_MB
