"""Accounts: whether a user may log on now, what wrong passwords lead to, and the limits of profiles.

Days are counted on the server's clock. Nothing here knows a password but for the moment in which it becomes a verifier.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from oracle_mimic.errors import OracleError
from oracle_mimic.sql.catalog import Catalog, Profile, User
from oracle_mimic.verifier import make_verifier

if TYPE_CHECKING:
    from oracle_mimic.sql.database import Database

UNLIMITED = "UNLIMITED"
DEFAULT_PROFILE = "DEFAULT"
# Of the profile DEFAULT of a 19c. Only `ENFORCED` may be given another value.
KERNEL_LIMITS = dict.fromkeys(
    (
        "COMPOSITE_LIMIT", "SESSIONS_PER_USER", "CPU_PER_SESSION", "CPU_PER_CALL", "LOGICAL_READS_PER_SESSION", "LOGICAL_READS_PER_CALL",
        "IDLE_TIME", "CONNECT_TIME", "PRIVATE_SGA",
    ),
    UNLIMITED,
)  # fmt: skip
PASSWORD_LIMITS = {
    "FAILED_LOGIN_ATTEMPTS": "10",
    "PASSWORD_LIFE_TIME": "180",
    "PASSWORD_REUSE_TIME": UNLIMITED,
    "PASSWORD_REUSE_MAX": UNLIMITED,
    "PASSWORD_VERIFY_FUNCTION": "NULL",
    "PASSWORD_LOCK_TIME": "1",
    "PASSWORD_GRACE_TIME": "7",
    "INACTIVE_ACCOUNT_TIME": UNLIMITED,
}
ENFORCED = frozenset({
    "SESSIONS_PER_USER", "IDLE_TIME", "CONNECT_TIME", "FAILED_LOGIN_ATTEMPTS", "PASSWORD_LIFE_TIME", "PASSWORD_LOCK_TIME",
    "PASSWORD_GRACE_TIME",
})  # fmt: skip


def default_profile() -> Profile:
    """The profile that every database has."""
    return Profile(DEFAULT_PROFILE, {**KERNEL_LIMITS, **PASSWORD_LIMITS})


def limit(catalog: Catalog, user: User, resource: str) -> Decimal | None:
    """A limit of a user's profile; None when there is none. Minutes for IDLE_TIME and CONNECT_TIME, days for the times of passwords."""
    standard = catalog.profiles.get(DEFAULT_PROFILE) or default_profile()
    found = catalog.profiles.get(user.profile, standard).limits.get(resource, DEFAULT_PROFILE)
    text = standard.limits[resource] if found == DEFAULT_PROFILE else found
    return None if text == UNLIMITED else Decimal(text)


def _days(catalog: Catalog, user: User, resource: str) -> timedelta | None:
    days = limit(catalog, user, resource)
    return None if days is None else timedelta(seconds=float(days * 86400))


def is_locked(catalog: Catalog, user: User, now: datetime) -> bool:
    """Whether the account is locked at a moment (naive, UTC); a lock after wrong passwords ends by itself."""
    if user.locked_at is None:
        return False
    lock_time = _days(catalog, user, "PASSWORD_LOCK_TIME") if user.locked_by_failures else None
    return lock_time is None or now < user.locked_at + lock_time


def expires_at(catalog: Catalog, user: User) -> datetime | None:
    """When the password is (or was) to be changed: DBA_USERS.EXPIRY_DATE; None for never."""
    if user.key is None:
        return None
    life = _days(catalog, user, "PASSWORD_LIFE_TIME")
    if user.grace_until is not None:
        return user.grace_until
    return None if life is None else (user.password_at or user.created) + life


def status(catalog: Catalog, user: User, now: datetime) -> str:
    """ACCOUNT_STATUS, as DBA_USERS prints it."""
    until = expires_at(catalog, user)
    grace = user.grace_until is not None and not user.expired and now < user.grace_until
    expired = user.expired or (user.grace_until is not None and until is not None and now >= until)
    locked = is_locked(catalog, user, now)
    words = ["EXPIRED(GRACE)"] if grace else ["EXPIRED"] if expired else []
    if locked:
        words.append("LOCKED(TIMED)" if user.locked_by_failures else "LOCKED")
    return " & ".join(words) or "OPEN"


class Accounts:
    """The logons of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._failures: dict[str, int] = {}  # since the last right password

    @property
    def _now(self) -> datetime:
        return self._database.clock.now().astimezone(UTC).replace(tzinfo=None, microsecond=0)

    def _change(self, name: str, how: Callable[[User], User]) -> None:
        with self._database.change_catalog() as (_, catalog):
            if name in catalog.users:
                catalog.users[name] = how(catalog.users[name])

    def failed(self, name: str) -> None:
        """A wrong password: counted, and the account locked when there were too many. ORA-28000 for a locked account."""
        catalog = self._database.catalog
        user = catalog.users.get(name)
        if user is None:
            return
        if is_locked(catalog, user, self._now):
            raise _locked()
        count = self._failures[name] = self._failures.get(name, 0) + 1
        most = limit(catalog, user, "FAILED_LOGIN_ATTEMPTS")
        if most is not None and count >= most and not self._database.standby:
            self._failures.pop(name)
            now = self._now
            self._change(name, lambda found: replace(found, locked_at=now, locked_by_failures=True))

    def admit(self, name: str) -> None:
        """After a right password: ORA-28000 locked, ORA-28001 expired, ORA-02391 too many sessions of the user."""
        catalog, now = self._database.catalog, self._now
        user = catalog.users[name]
        if is_locked(catalog, user, now):
            raise _locked()
        self._failures.pop(name, None)
        if user.locked_at is not None:
            self._change(name, lambda found: replace(found, locked_at=None, locked_by_failures=False))
        self._require_fresh(catalog, user, now)
        most = limit(catalog, user, "SESSIONS_PER_USER")
        if most is not None and sum(session.user == name for session in self._database.sessions.values()) >= most:
            raise OracleError(2391, "exceeded simultaneous SESSIONS_PER_USER limit")

    def _require_fresh(self, catalog: Catalog, user: User, now: datetime) -> None:
        """The days of grace begin with the first logon after the password's life."""
        expired = OracleError(28001, "the account has expired")
        if user.expired:
            raise expired
        until = expires_at(catalog, user)
        if until is None or now < until:
            return
        grace = _days(catalog, user, "PASSWORD_GRACE_TIME")
        if user.grace_until is not None or not grace or self._database.standby:
            raise expired
        self._change(user.name, lambda found: replace(found, grace_until=now + grace))

    def session_limits(self, name: str) -> tuple[timedelta | None, timedelta | None]:
        """IDLE_TIME and CONNECT_TIME of a session that begins now."""
        catalog = self._database.catalog
        minutes = [limit(catalog, catalog.users[name], resource) for resource in ("IDLE_TIME", "CONNECT_TIME")]
        idle, connect = (None if found is None else timedelta(minutes=float(found)) for found in minutes)
        return idle, connect

    def set_password(self, name: str, password: str) -> None:
        """A new password, also for an expired account; ORA-28000 for a locked one, ORA-00988 for none."""
        user = self._database.catalog.users[name]
        if is_locked(self._database.catalog, user, self._now):
            raise _locked()
        now = self._now
        self._change(name, lambda found: with_password(found, password, now))


def with_password(user: User, password: str, now: datetime) -> User:
    """The user with a new password, which is fresh."""
    if not password:
        raise OracleError(988, "missing or invalid password(s)")
    verifier = make_verifier(password)
    return replace(user, salt=verifier.salt.hex(), key=verifier.key.hex(), password_at=now, expired=False, grace_until=None)


def _locked() -> OracleError:
    return OracleError(28000, "The account is locked.")
