"""What python-oracledb really sends: every kind of message, recorded between driver and server, for the fuzz run to change."""

from __future__ import annotations

import datetime
import socket
import threading
from dataclasses import dataclass, field
from decimal import Decimal

import oracledb
import pyarrow as pa
from oracle_mimic.server import MimicServer

CONNECT, DATA = 1, 6


@dataclass
class Recorded:
    """connect: the body of the CONNECT packet; logon: the messages before the session; calls: the requests after it."""

    connect: bytes = b""
    logon: list[bytes] = field(default_factory=list)
    calls: list[bytes] = field(default_factory=list)


class Recorder:
    """A proxy for one connection. A request is all DATA that the client sends before the server answers."""

    def __init__(self, server: MimicServer) -> None:
        self.messages: list[bytes] = []
        self.connect = b""
        self._server = socket.create_connection((server.host, server.port))
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._pending = bytearray()
        self._request = bytearray()
        self._large = False
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        client, _ = self._listener.accept()
        self._listener.close()
        backwards = threading.Thread(target=self._answers, args=(client,), daemon=True)
        backwards.start()
        while piece := client.recv(1 << 20):
            with self._lock:
                self._read(piece)
            self._server.sendall(piece)
        self._server.close()
        backwards.join()
        client.close()

    def _answers(self, client: socket.socket) -> None:
        try:
            while piece := self._server.recv(1 << 20):
                with self._lock:
                    if self._request:
                        self.messages.append(bytes(self._request))
                        self._request.clear()
                    self._large = True  # since ACCEPT, the first answer
                client.sendall(piece)
        except OSError:  # closed by the other thread
            pass

    def _read(self, piece: bytes) -> None:
        self._pending += piece
        while len(self._pending) >= 8:
            length = int.from_bytes(self._pending[: 4 if self._large else 2], "big")
            if len(self._pending) < length:
                return
            packet = bytes(self._pending[:length])
            del self._pending[:length]
            if packet[4] == CONNECT:
                self.connect = packet[8:]
            elif packet[4] == DATA:
                self._request += packet[10:]

    def finish(self) -> Recorded:
        self._thread.join(10)
        logon = 4  # protocol, data types, two phases
        return Recorded(self.connect, self.messages[:logon], self.messages[logon:])


def record(server: MimicServer, user: str, password: str) -> Recorded:
    """A session that uses all the driver has for a server of 19c."""
    recorder = Recorder(server)
    with oracledb.connect(user=user, password=password, dsn=f"127.0.0.1:{recorder.port}/FREEPDB1") as connection:
        _use(connection, user)
    return recorder.finish()


def _use(connection: oracledb.Connection, user: str) -> None:
    cursor = connection.cursor()
    connection.module, connection.action, connection.client_identifier, connection.clientinfo = "m", "a", "i", "f"
    connection.current_schema = user
    cursor.execute("create table fuzzed (id number(9) primary key, v varchar2(4000), d date, c clob, b blob, x binary_double)")
    cursor.execute("create table loaded (id number(9), v varchar2(4000), c clob)")
    cursor.execute("insert into fuzzed (id, v, d) values (:id, :v, :d)", id=1, v="a", d=datetime.datetime(2026, 1, 2))
    cursor.executemany("insert into fuzzed (id, v, x) values (:1, :2, :3)", [(n, "x" * (n % 300), n / 7) for n in range(2, 300)])
    for number in (1, 2):  # parsed and executed, then the short form
        cursor.execute("update fuzzed set v = :1 where id = :2", ["y" * 40, number])
    cursor.executemany("insert into fuzzed (id) values (:1)", [(1,), (400,)], batcherrors=True, arraydmlrowcounts=True)
    out = cursor.var(int)
    cursor.execute("insert into fuzzed (id) values (:1) returning id into :2", [500, out])
    cursor.executemany("insert into fuzzed (id, v) values (:1, :2)", pa.table({"A": [600, 601], "B": ["p", None]}))
    connection.autocommit = True
    cursor.execute("delete from fuzzed where id = 600")
    connection.autocommit = False
    types = [1, Decimal("1.5"), "t", b"r", 1.25, datetime.datetime(2026, 1, 2, 3, 4, 5, 6), datetime.timedelta(1, 2, 3), None]
    cursor.execute("select :1, :2, :3, :4, :5, :6, :7, :8 from dual", types).fetchall()
    cursor.arraysize = 50
    for _ in range(2):
        cursor.execute("select id, v, d, x from fuzzed where id > :1 order by id", [0]).fetchmany(120)
    cursor.execute("select id, v from fuzzed").fetchall()
    big = connection.createlob(oracledb.DB_TYPE_CLOB, "text" * 100)
    big.write("more", 401)
    cursor.execute("update fuzzed set c = :1, b = :2 where id = 1", [big, b"bytes" * 20])
    for text, data in cursor.execute("select c, b from fuzzed where id = 1"):
        assert (text.size(), text.read(1, 4), data.read()) == (404, "text", b"bytes" * 20)
        assert text.getchunksize()
    connection.fetch_df_all("select id, v, c, b from fuzzed where id < 20")
    block = "begin :o := :i + 1; end;"
    cursor.execute(block, o=out, i=3)
    cursor.execute(block, o=out, i=4)
    opened = cursor.var(oracledb.DB_TYPE_CURSOR)
    cursor.execute("begin open :1 for select id from fuzzed; end;", [opened])
    opened.getvalue().fetchmany(10)
    cursor.parse("select v from fuzzed")
    connection.direct_path_load(user, "loaded", ["ID", "V", "C"], [(n, "v" * n, "text" * n) for n in range(100)])
    connection.ping()
    cursor.execute("savepoint a")
    connection.rollback()
    connection.commit()
    connection.stmtcachesize = 0
    cursor.close()
    del big, text, data, opened
    connection.ping()
