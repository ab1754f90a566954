"""Connections to the two databases, from the same variables that `.env.example` documents."""

from __future__ import annotations

import os
from typing import Literal

import oracledb

Side = Literal["source", "target"]
_PREFIX = {"source": "WMS_ORACLE", "target": "TARGET_ORACLE"}


def connect(side: Side) -> oracledb.Connection:
    """A connection in UTC. KeyError names a variable that is missing; oracledb.DatabaseError says what the server refused."""
    prefix = _PREFIX[side]

    def setting(name: str) -> str | None:
        return os.environ.get(f"{prefix}_{name}") or None

    service = {"service_name": setting("SERVICE_NAME")} if setting("SERVICE_NAME") else {"sid": os.environ[f"{prefix}_SID"]}
    connection = oracledb.connect(
        user=os.environ[f"{prefix}_USERNAME"],
        password=os.environ[f"{prefix}_PASSWORD"],
        host=os.environ[f"{prefix}_HOST"],
        port=int(setting("PORT") or 1521),
        protocol=(setting("PROTOCOL") or "tcp").lower(),
        wallet_location=setting("WALLET_LOCATION"),
        wallet_password=setting("WALLET_PASSWORD"),
        **service,
    )
    connection.module = "demo"
    with connection.cursor() as cursor:
        cursor.execute("ALTER SESSION SET TIME_ZONE = 'UTC'")
    return connection


def schema(side: Side) -> str:
    """The schema that holds the tables: `..._SCHEMA`, else the user's own."""
    prefix = _PREFIX[side]
    return (os.environ.get(f"{prefix}_SCHEMA") or os.environ[f"{prefix}_USERNAME"]).upper()
