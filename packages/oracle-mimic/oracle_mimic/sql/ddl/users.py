"""CREATE, ALTER, DROP USER; CREATE, DROP ROLE. Passwords become verifiers here and are kept nowhere."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from oracle_mimic.errors import OracleError, refused
from oracle_mimic.sql import accounts, engine_storage
from oracle_mimic.sql.catalog import Index, Role, Sequence, Table, User
from oracle_mimic.sql.ddl.change import Action, Change
from oracle_mimic.sql.ddl.tables import drop_table
from oracle_mimic.sql.lexer import TokenKind
from oracle_mimic.sql.parser.tokens import TokenReader
from oracle_mimic.verifier import make_verifier


@dataclass(slots=True)
class _UserOptions:
    password: str | None = field(default=None, repr=False)
    old_password: str | None = field(default=None, repr=False)
    expired: bool = False
    profile: str | None = None
    locked: bool | None = None
    default_tablespace: str | None = None
    temporary_tablespace: str | None = None
    quotas: dict[str, str] = field(default_factory=dict)

    def applied(self, change: Change, user: User) -> User:
        """The user with what was written."""
        if self.old_password is not None and not self._proves(user):
            raise OracleError(28008, "invalid old password")
        if self.password is not None:
            user = accounts.with_password(user, self.password, change.moment)
        if self.locked is not None:
            user = replace(user, locked_at=change.moment if self.locked else None, locked_by_failures=False)
        profile = self.profile or user.profile
        if profile not in change.catalog.profiles:
            raise OracleError(2380, f"profile {profile} does not exist")
        return replace(
            user,
            profile=profile,
            expired=user.expired or self.expired,
            default_tablespace=self.default_tablespace or user.default_tablespace,
            temporary_tablespace=self.temporary_tablespace or user.temporary_tablespace,
            quotas={**user.quotas, **self.quotas},
        )

    def _proves(self, user: User) -> bool:
        """Whether the old password is the user's."""
        salt = bytes.fromhex(user.salt or "")
        return bool(salt) and make_verifier(self.old_password or "", salt).key.hex() == user.key


def _user_options(reader: TokenReader) -> _UserOptions:
    options = _UserOptions()
    while reader.token.kind is not TokenKind.END and not reader.at_op(";"):
        if reader.take_word("IDENTIFIED"):
            options.password = _password(reader)
            if reader.take_word("REPLACE"):
                options.old_password = _password_text(reader)
        elif reader.take_word("ACCOUNT"):
            options.locked = reader.expect_word("LOCK", "UNLOCK").value == "LOCK"
        elif reader.take_words("DEFAULT", "TABLESPACE"):
            options.default_tablespace = reader.identifier().name
        elif reader.take_word("TEMPORARY"):
            reader.expect_word("TABLESPACE")
            options.temporary_tablespace = reader.identifier().name
        elif reader.take_word("QUOTA"):
            amount = "UNLIMITED" if reader.take_word("UNLIMITED") else _size(reader)
            reader.expect_word("ON")
            options.quotas[reader.identifier().name] = amount
        elif reader.take_word("PROFILE"):
            options.profile = reader.advance().value if reader.at_word("DEFAULT") else reader.identifier().name
        elif reader.take_words("PASSWORD", "EXPIRE"):
            options.expired = True
        elif reader.at_word("DEFAULT", "GRANT", "REVOKE", "ENABLE", "CONTAINER"):
            raise refused(f"user option {reader.token.value}", offset=reader.token.start)
        else:
            raise reader.error(922, "missing or invalid option")
    return options


def _password(reader: TokenReader) -> str:
    if reader.at_word("EXTERNALLY", "GLOBALLY"):
        raise refused(f"IDENTIFIED {reader.token.value}", offset=reader.token.start)
    reader.expect_word("BY")
    if reader.at_word("VALUES"):
        raise refused("IDENTIFIED BY VALUES", offset=reader.token.start)
    return _password_text(reader)


def _password_text(reader: TokenReader) -> str:
    token = reader.token
    if token.kind is TokenKind.QUOTED:
        return reader.advance().value
    if token.kind is TokenKind.WORD:
        reader.advance()
        return reader.sql[token.start : token.end]  # as typed: passwords know case
    raise reader.error(988, "missing or invalid password(s)")


def _size(reader: TokenReader) -> str:
    number = reader.unsigned_integer()
    unit = reader.take_word("K", "M", "G", "T")
    return str(number * 1024 ** (" KMGT".index(unit.value) if unit else 0))


def parse_create_user(reader: TokenReader) -> Action:
    """CREATE USER name IDENTIFIED BY password ... ; ORA-01920 for a taken name."""
    from oracle_mimic.sql.database import next_user_id

    name = reader.identifier(1935, "missing user or role name").name
    schema_only = reader.take_words("NO", "AUTHENTICATION")
    options = _user_options(reader)
    if options.password is None and not schema_only:
        raise OracleError(922, "missing or invalid option", offset=reader.token.start)

    def apply(change: Change) -> None:
        change.privileges.require_system("CREATE USER")
        if name in change.catalog.users or name in change.catalog.roles:
            raise OracleError(1920, f"user name '{name}' conflicts with another user or role name")
        user = User(name, next_user_id(change.catalog), change.moment)
        change.catalog.users[name] = options.applied(change, user)

    return Action(apply)


def parse_alter_user(reader: TokenReader) -> Action:
    """ALTER USER: options as in CREATE USER. One may change one's own password without a privilege."""
    name = reader.identifier(1935, "missing user or role name").name
    options = _user_options(reader)

    def apply(change: Change) -> None:
        wanted = _UserOptions(password=options.password, old_password=options.old_password)
        own_password = name == change.session.user and options.password is not None and options == wanted
        if not own_password:
            change.privileges.require_system("ALTER USER")
        user = change.catalog.users.get(name)
        if user is None:
            raise OracleError(1918, f"user '{name}' does not exist")
        change.catalog.users[name] = options.applied(change, user)

    return Action(apply)


def parse_drop_user(reader: TokenReader) -> Action:
    """DROP USER [CASCADE]; ORA-01922 while it owns anything, ORA-01940 while it is connected."""
    name = reader.identifier(1935, "missing user or role name").name
    cascade = reader.take_word("CASCADE") is not None

    def apply(change: Change) -> None:
        change.privileges.require_system("DROP USER")
        user = change.catalog.users.get(name)
        if user is None:
            raise OracleError(1918, f"user '{name}' does not exist")
        if user.oracle_maintained:
            raise OracleError(28050, "specified user or role cannot be dropped")
        if any(session.user == name for session in change.session.database.sessions.values()):
            raise OracleError(1940, "cannot drop a user that is currently connected")
        owned = [entry for entry in change.catalog.objects.values() if entry.owner == name]
        if owned and not cascade:
            raise OracleError(1922, f"CASCADE must be specified to drop '{name}'")
        for entry in owned:
            if isinstance(entry, Table) and entry.object_id in change.catalog.objects:
                change.lock(entry)
                drop_table(change, entry, cascade=True)
        for entry in owned:
            if entry.object_id not in change.catalog.objects:
                continue
            change.catalog.remove(entry.object_id)
            if isinstance(entry, Sequence):
                engine_storage.drop_sequence(change.cursor, entry.object_id)
            elif not isinstance(entry, Index):
                change.catalog.drop_grants(entry.owner, entry.name)
        _forget_grantee(change, name)
        del change.catalog.users[name]

    return Action(apply)


def _forget_grantee(change: Change, name: str) -> None:
    catalog = change.catalog
    for mapping in (catalog.object_grants, catalog.system_grants, catalog.role_grants):
        for key in [key for key in mapping if key[0] == name]:
            del mapping[key]  # type: ignore[arg-type]  # the keys of one mapping are used on that mapping only
    for key in [key for key, grant in catalog.role_grants.items() if grant.role == name]:
        del catalog.role_grants[key]


def parse_create_role(reader: TokenReader) -> Action:
    """CREATE ROLE name [NOT IDENTIFIED]; the creator gets it with ADMIN OPTION."""
    from oracle_mimic.sql.catalog import RoleGrant

    name = reader.identifier(1935, "missing user or role name").name
    if reader.at_word("IDENTIFIED"):
        raise refused("CREATE ROLE ... IDENTIFIED", offset=reader.token.start)
    reader.take_words("NOT", "IDENTIFIED")

    def apply(change: Change) -> None:
        change.privileges.require_system("CREATE ROLE")
        if name in change.catalog.users or name in change.catalog.roles:
            raise OracleError(1921, f"role name '{name}' conflicts with another user or role name")
        numbers = [role.role_id for role in change.catalog.roles.values()] + [user.user_id for user in change.catalog.users.values()]
        change.catalog.roles[name] = Role(name, max(numbers) + 1)
        change.catalog.role_grants[change.session.user, name] = RoleGrant(change.session.user, name, admin=True)

    return Action(apply)


def parse_drop_role(reader: TokenReader) -> Action:
    """DROP ROLE."""
    name = reader.identifier(1935, "missing user or role name").name

    def apply(change: Change) -> None:
        grant = change.catalog.role_grants.get((change.session.user, name))
        if grant is None or not grant.admin:
            change.privileges.require_system("DROP ANY ROLE")
        role = change.catalog.roles.get(name)
        if role is None:
            raise OracleError(1919, f"role '{name}' does not exist")
        if role.oracle_maintained:
            raise OracleError(28050, "specified user or role cannot be dropped")
        _forget_grantee(change, name)
        del change.catalog.roles[name]

    return Action(apply)
