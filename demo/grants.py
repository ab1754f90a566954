"""Gives the tap's user what docs/grants/tap.sql grants on the system's views, so that late commits are found by the locks on each table."""

from __future__ import annotations

from pathlib import Path

import oracledb

SCRIPT = Path(__file__).resolve().parents[1] / "docs" / "grants" / "tap.sql"


def grant_views(dba: oracledb.Connection, user: str) -> None:
    """Run the script's grants on SYS's views for `user`."""
    lines = [line.strip() for line in SCRIPT.read_text().splitlines()]
    with dba.cursor() as cursor:
        for line in lines:
            if line.startswith("GRANT SELECT ON SYS."):
                cursor.execute(line.rstrip(";").replace('"<WMS_READER>"', f'"{user}"'))
