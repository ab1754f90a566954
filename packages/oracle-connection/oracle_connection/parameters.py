"""How to reach an Oracle database: one frozen value, from a plugin's settings to the driver's arguments.

The settings are the same for tap and target (`SETTINGS`). Nothing here connects; `probe.connect` does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from oracle_connection.errors import ConfigurationError

DEFAULT_PORT = 1521

SETTINGS: dict[str, dict[str, Any]] = {
    "host": {"type": "string", "description": "Host name or address of the database listener. Not needed with `dsn`."},
    "port": {"type": "integer", "default": DEFAULT_PORT, "minimum": 1, "maximum": 65535, "description": "TCP port of the listener."},
    "service_name": {"type": "string", "description": "Service name of the database. Give exactly one of `service_name`, `sid`, `dsn`."},
    "sid": {"type": "string", "description": "SID of the instance, for databases that are reached by SID."},
    "dsn": {
        "type": "string",
        "description": "Easy Connect string, full connect descriptor or TNS alias, in place of host, port and service.",
    },
    "username": {"type": "string", "description": "Database user. See docs/grants for the privileges it needs."},
    "password": {"type": "string", "secret": True, "description": "Password of the user. Never logged."},
    "protocol": {"type": "string", "enum": ["tcp", "tcps"], "default": "tcp", "description": "`tcps` encrypts the connection (TLS)."},
    "wallet_location": {"type": "string", "description": "Directory of the wallet (`ewallet.pem`) for `tcps`."},
    "wallet_password": {"type": "string", "secret": True, "description": "Password of the wallet. Never logged."},
    "ssl_server_dn_match": {
        "type": "boolean",
        "default": True,
        "description": "Refuse a server whose certificate has another name. Leave it on; name the certificate with `ssl_server_cert_dn`.",
    },
    "ssl_server_cert_dn": {
        "type": "string",
        "description": "Distinguished name the server's certificate must have. Default: the host's name.",
    },
    "ssl_ca_file": {"type": "string", "description": "PEM file with the certificate authority that signed the server's certificate."},
    "tns_admin": {"type": "string", "description": "Directory of tnsnames.ora, when `dsn` is an alias."},
    "connect_timeout_seconds": {
        "type": "integer",
        "default": 20,
        "minimum": 1,
        "description": "Seconds until an attempt to connect is given up.",
    },
    "call_timeout_seconds": {
        "type": "integer",
        "default": 0,
        "minimum": 0,
        "description": "Seconds one round trip may take before it is cancelled and repeated; 0: no limit.",
    },
    "sdu_bytes": {
        "type": "integer",
        "default": 65535,
        "minimum": 512,
        "maximum": 2097152,
        "description": "Size of the network packets asked for; the server may lower it.",
    },
    "thick_mode": {
        "type": "boolean",
        "default": False,
        "description": "Use the Oracle Instant Client, for servers the thin driver cannot reach (before 12.1, native network encryption).",
    },
    "client_directory": {"type": "string", "description": "Directory of the Instant Client, with `thick_mode`."},
}
"""JSON Schema of the settings that make a connection, for the settings schema of a plugin."""


@dataclass(frozen=True, slots=True)
class ConnectionParameters:
    """Where a database is and how to log in. `repr` shows no password."""

    username: str
    password: str = field(repr=False)
    host: str | None = None
    port: int = DEFAULT_PORT
    service_name: str | None = None
    sid: str | None = None
    dsn: str | None = None
    protocol: str = "tcp"
    wallet_location: str | None = None
    wallet_password: str | None = field(default=None, repr=False)
    ssl_server_dn_match: bool = True
    ssl_server_cert_dn: str | None = None
    ssl_ca_file: str | None = None
    tns_admin: str | None = None
    connect_timeout_seconds: int = 20
    call_timeout_seconds: int = 0
    sdu_bytes: int = 65535
    thick_mode: bool = False
    client_directory: str | None = None

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> ConnectionParameters:
        """From a plugin's settings; empty texts count as not given. Raises ConfigurationError, naming the setting."""
        given = {name: config[name] for name in SETTINGS if config.get(name) not in {None, ""}}
        for name in ("username", "password"):
            if name not in given:
                message = f"setting {name} is missing"
                raise ConfigurationError(message)
        parameters = cls(**given)
        places = [name for name in ("dsn", "service_name", "sid") if name in given]
        if len(places) != 1:
            message = f"give exactly one of the settings service_name, sid and dsn; given: {', '.join(places) or 'none'}"
            raise ConfigurationError(message)
        if parameters.dsn is None and parameters.host is None:
            message = "setting host is missing"
            raise ConfigurationError(message)
        for name in ("wallet_location", "ssl_ca_file", "client_directory", "tns_admin"):
            path = given.get(name)
            if path is not None and not Path(path).exists():
                message = f"setting {name}: {path} does not exist"
                raise ConfigurationError(message)
        return parameters

    @property
    def place(self) -> str:
        """Where the database is, for messages: `host:port/service`. Of a descriptor only what is no secret."""
        if self.dsn is not None:
            return self.dsn if "@" not in self.dsn else self.dsn.rpartition("@")[2]
        return f"{self.host}:{self.port}/{self.service_name or self.sid}"

    @property
    def secrets(self) -> tuple[str | None, ...]:
        """Values that no message may show."""
        return (self.password, self.wallet_password)

    def connect_arguments(self) -> dict[str, Any]:
        """Keyword arguments of `oracledb.connect`. Reads `ssl_ca_file` when it is set."""
        arguments: dict[str, Any] = {
            "user": self.username,
            "password": self.password,
            "tcp_connect_timeout": float(self.connect_timeout_seconds),
            "sdu": self.sdu_bytes,
            "ssl_server_dn_match": self.ssl_server_dn_match,
            "ssl_server_cert_dn": self.ssl_server_cert_dn,
            "wallet_location": self.wallet_location,
            "wallet_password": self.wallet_password,
            "config_dir": self.tns_admin,
        }
        if self.dsn is not None:
            arguments["dsn"] = self.dsn
        else:
            arguments |= {
                "host": self.host,
                "port": self.port,
                "service_name": self.service_name,
                "sid": self.sid,
                "protocol": self.protocol,
            }
        if self.ssl_ca_file is not None:
            import ssl

            arguments["ssl_context"] = ssl.create_default_context(cafile=self.ssl_ca_file)
        return {name: value for name, value in arguments.items() if value is not None}
