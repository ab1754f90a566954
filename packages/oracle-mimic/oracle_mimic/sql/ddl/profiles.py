"""CREATE, ALTER, DROP PROFILE. A limit that the mimic does not enforce is refused unless it is UNLIMITED, DEFAULT or NULL."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from oracle_mimic.errors import OracleError, refused
from oracle_mimic.sql.accounts import DEFAULT_PROFILE, ENFORCED, KERNEL_LIMITS, PASSWORD_LIMITS, UNLIMITED
from oracle_mimic.sql.catalog import Profile
from oracle_mimic.sql.ddl.change import Action, Change
from oracle_mimic.sql.lexer import TokenKind
from oracle_mimic.sql.parser.tokens import TokenReader


def _name(reader: TokenReader) -> str:
    return reader.advance().value if reader.at_word(DEFAULT_PROFILE) else reader.identifier(2376, "invalid or redundant resource").name


def _limits(reader: TokenReader) -> dict[str, str]:
    """LIMIT resource value ...; ORA-02376 for an unknown or repeated resource, ORA-02377 for an impossible limit."""
    limits: dict[str, str] = {}
    while reader.take_word("LIMIT"):
        while reader.token.kind is TokenKind.WORD and not reader.at_word("LIMIT"):
            resource = reader.token.value
            if resource in limits or resource not in {**KERNEL_LIMITS, **PASSWORD_LIMITS}:
                raise reader.error(2376, "invalid or redundant resource")
            reader.advance()
            limits[resource] = _limit(reader, resource)
    if not limits:
        raise reader.error(2376, "invalid or redundant resource")
    return limits


def _limit(reader: TokenReader, resource: str) -> str:
    if word := reader.take_word(UNLIMITED, "DEFAULT", "NULL"):
        if (word.value == "NULL") != (resource == "PASSWORD_VERIFY_FUNCTION") and word.value != "DEFAULT":
            raise OracleError(2377, "invalid profile limit", offset=word.start)
        return word.value
    if resource not in ENFORCED:
        raise refused(f"the profile limit {resource}", offset=reader.token.start)
    start = reader.token.start
    value = _number(reader)
    if reader.take_op("/"):
        divisor = _number(reader)
        if not divisor:
            raise OracleError(1476, "divisor is equal to zero", offset=start)
        value /= divisor
    is_time = resource in PASSWORD_LIMITS and resource.endswith("_TIME")
    if (not value and resource != "PASSWORD_GRACE_TIME") or (value != int(value) and not is_time):
        raise OracleError(2377, "invalid profile limit", offset=start)
    return f"{value:.4f}".rstrip("0").rstrip(".")


def _number(reader: TokenReader) -> Decimal:
    token = reader.token
    if token.kind is not TokenKind.NUMBER:
        raise reader.error(2377, "invalid profile limit")
    reader.advance()
    return Decimal(token.value)


def parse_create(reader: TokenReader) -> Action:
    """CREATE PROFILE name LIMIT ...; what is not named is as in the profile DEFAULT. ORA-02379 for a taken name."""
    name = _name(reader)
    limits = _limits(reader)

    def apply(change: Change) -> None:
        change.privileges.require_system("CREATE PROFILE")
        if name in change.catalog.profiles:
            raise OracleError(2379, f"profile {name} already exists")
        every = dict.fromkeys({**KERNEL_LIMITS, **PASSWORD_LIMITS}, DEFAULT_PROFILE)
        change.catalog.profiles[name] = Profile(name, {**every, **limits})

    return Action(apply)


def parse_alter(reader: TokenReader) -> Action:
    """ALTER PROFILE name LIMIT ...; ORA-02380 for an unknown one."""
    name = _name(reader)
    limits = _limits(reader)

    def apply(change: Change) -> None:
        change.privileges.require_system("ALTER PROFILE")
        profile = _existing(change, name)
        if name == DEFAULT_PROFILE and DEFAULT_PROFILE in limits.values():
            raise OracleError(2377, "invalid profile limit")
        change.catalog.profiles[name] = replace(profile, limits={**profile.limits, **limits})

    return Action(apply)


def parse_drop(reader: TokenReader) -> Action:
    """DROP PROFILE name [CASCADE]; ORA-02382 while users have it, ORA-02381 for DEFAULT."""
    name = _name(reader)
    cascade = reader.take_word("CASCADE") is not None

    def apply(change: Change) -> None:
        change.privileges.require_system("DROP PROFILE")
        _existing(change, name)
        if name == DEFAULT_PROFILE:
            raise OracleError(2381, "cannot drop PUBLIC_DEFAULT profile")
        users = [user for user in change.catalog.users.values() if user.profile == name]
        if users and not cascade:
            raise OracleError(2382, f"profile {name} has users assigned, cannot drop without CASCADE")
        for user in users:
            change.catalog.users[user.name] = replace(user, profile=DEFAULT_PROFILE)
        del change.catalog.profiles[name]

    return Action(apply)


def _existing(change: Change, name: str) -> Profile:
    found = change.catalog.profiles.get(name)
    if found is None:
        raise OracleError(2380, f"profile {name} does not exist")
    return found
