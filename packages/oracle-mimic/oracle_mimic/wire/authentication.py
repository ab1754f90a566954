"""From the first logon message to an open session: the two calls of a logon against the database's accounts."""

from __future__ import annotations

from collections.abc import Mapping

from oracle_mimic.door import Binds, Database, Session
from oracle_mimic.errors import OracleError, refused
from oracle_mimic.wire import logon

_MAX_IDENTIFIER = 128


class Authentication:
    """One client's logon.

    Args:
        service: the service name it asked for.
        open_cursors: what it is told about how many cursors a session may open.
    """

    def __init__(self, database: Database, service: str, open_cursors: int) -> None:
        self._database = database
        self._service = service
        self._open_cursors = open_cursors
        self._logon: logon.Logon | None = None
        self._user = ""
        self._attributes: dict[str, str] = {}

    def phase_one(self, request: logon.LogonRequest) -> bytes:
        """Answer with the challenge, for an unknown user too."""
        self._user = request.user
        keys = {"program": "PROGRAM_NM", "machine": "MACHINE", "osuser": "SID", "terminal": "TERMINAL", "process": "PID"}
        self._attributes = {name: request.pairs.get(f"AUTH_{key}", "") for name, key in keys.items()}
        self._logon = logon.Logon(self._database.verifier(request.user))
        return self._logon.challenge()

    def phase_two(self, request: logon.LogonRequest) -> tuple[Session, bytes]:
        """Check the password and the account, open the session; it and the answer.

        ORA-01017, 28000, 28001, 01045, 02391, 00018, 01031, 03001. With a new password the old one may have expired.
        """
        if self._logon is None or request.user != self._user:
            raise OracleError(1017, "invalid username/password; logon denied")
        try:
            proof = self._logon.check(request)
        except OracleError:
            self._database.logon_failed(request.user)
            raise
        if request.mode & logon.MODE_ADMINISTRATIVE:
            raise OracleError(1031, "insufficient privileges")
        _refuse_options(request.pairs)
        if "AUTH_NEWPASSWORD" in request.pairs:
            self._database.change_password(request.user, self._new_password(self._logon, request))
        self._database.check_account(request.user)
        attributes = {**self._attributes, "driver": request.pairs.get("SESSION_CLIENT_DRIVER_NAME", ""), "service": self._service}
        session = self._database.open_session(request.user, attributes)
        try:
            if statement := request.pairs.get("AUTH_ALTER_SESSION"):
                session.execute(statement, Binds())
        except BaseException:
            session.close()
            raise
        return session, self._accepted(session, proof)

    def change_password(self, request: logon.LogonRequest) -> None:
        """`connection.changepassword()`: ORA-28008 when the old password is wrong or another's, ORA-00988 for an empty new one."""
        current = self._database.verifier(self._user)
        if self._logon is None or current is None or request.user != self._user:
            raise OracleError(28008, "invalid old password")
        self._logon.renew(current)
        try:
            is_old = self._logon.is_password(bytes.fromhex(request.pairs.get("AUTH_PASSWORD", "")))
        except ValueError:
            is_old = False
        if not is_old:
            raise OracleError(28008, "invalid old password")
        self._database.change_password(self._user, self._new_password(self._logon, request))

    def _new_password(self, keyed: logon.Logon, request: logon.LogonRequest) -> str:
        try:
            encrypted = bytes.fromhex(request.pairs.get("AUTH_NEWPASSWORD", ""))
        except ValueError:
            encrypted = b""
        password = keyed.read_password(encrypted)
        if not password:
            raise OracleError(988, "missing or invalid password(s)")
        return password

    def _accepted(self, session: Session, proof: str) -> bytes:
        major, release, update, patch, port = self._database.version
        return logon.reply(
            {
                "AUTH_SVR_RESPONSE": proof,
                "AUTH_VERSION_NO": str(major << 24 | release << 16 | update << 12 | patch << 4 | port),
                "AUTH_SESSION_ID": str(session.session_id),
                "AUTH_SERIAL_NUM": str(session.serial_number & 0xFFFF),
                "AUTH_MAX_OPEN_CURSORS": str(self._open_cursors),  # without it the client turns its statement cache off
                "AUTH_MAX_IDEN_LENGTH": str(_MAX_IDENTIFIER),
                "AUTH_SC_SERVICE_NAME": self._service,
                "AUTH_SC_DBUNIQUE_NAME": self._database.db_name,
                "AUTH_SC_REAL_DBUNIQUE_NAME": self._database.db_name,
                "AUTH_INSTANCENAME": self._database.instance_name,
                "AUTH_SC_DB_DOMAIN": "",
            }
        )


def _refuse_options(pairs: Mapping[str, str]) -> None:
    """Options of a logon that would change the session and are not honoured."""
    if "PROXY_CLIENT_NAME" in pairs:
        raise refused("proxy authentication")
    if "AUTH_APPCTX_NSPACE" in pairs:
        raise refused("application context at logon")
    if "AUTH_ORA_EDITION" in pairs:
        raise refused("editions")
