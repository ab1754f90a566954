"""The control connection: faults for a server in another process, as lines of JSON over a loopback socket.

Request: {"do": "arm", "action": "drop", "point": "after_commit", ...}, answer: {"ok": true, "result": 1} or {"ok": false, "error": "..."}.
It has no password, so it listens on loopback only, and only when it is asked for.
"""

from __future__ import annotations

import json
import socket
import socketserver
import threading
from types import TracebackType
from typing import Any, Self

from oracle_mimic.faults import Faults

_LONGEST_LINE = 65536


class ControlServer:
    """Serves `Faults` on a loopback port (0 takes a free one) until stopped."""

    def __init__(self, faults: Faults, port: int) -> None:
        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                while line := self.rfile.readline(_LONGEST_LINE):
                    self.wfile.write(json.dumps(_answer(faults, line)).encode() + b"\n")

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), name="oracle-mimic-control", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _answer(faults: Faults, line: bytes) -> dict[str, Any]:
    try:
        request = json.loads(line)
        what = request.pop("do")
        if what not in ("arm", "disarm", "clear", "struck", "disk_full", "ping"):
            raise ValueError(f"cannot do {what!r}")
        result = None if what == "ping" else getattr(faults, what)(**request)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        return {"ok": False, "error": str(error)}
    return {"ok": True, "result": result}


class ControlClient:
    """The other side: the methods of `Faults` by name. ValueError with the server's reason when it refuses."""

    def __init__(self, port: int, timeout: float = 10.0) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout)
        self._lines = self._socket.makefile("rb")

    def _call(self, do: str, **arguments: Any) -> Any:
        self._socket.sendall(json.dumps({"do": do, **arguments}).encode() + b"\n")
        answer = json.loads(self._lines.readline())
        if not answer["ok"]:
            raise ValueError(answer["error"])
        return answer["result"]

    def arm(self, action: str, point: str, **settings: Any) -> int:
        """See `Faults.arm`."""
        return int(self._call("arm", action=action, point=point, **settings))

    def disarm(self, number: int) -> int:
        """See `Faults.disarm`."""
        return int(self._call("disarm", number=number))

    def struck(self, number: int) -> int:
        """See `Faults.struck`."""
        return int(self._call("struck", number=number))

    def clear(self) -> None:
        """See `Faults.clear`."""
        self._call("clear")

    def disk_full(self, full: bool) -> None:
        """See `Faults.disk_full`."""
        self._call("disk_full", full=full)

    def close(self) -> None:
        self._lines.close()
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.close()
