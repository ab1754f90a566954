"""Where this Meltano project is and which state belongs to which entity: from the variables Meltano gives its plugins.

The one place of wms-ops that reads the environment. Standard library only: every guard imports it.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

TAP = "tap-oracle-wms"
TARGET = "target-oracle"


class ProjectError(Exception):
    """A variable is missing; the message names it."""


@dataclass(frozen=True, slots=True)
class Project:
    """root: the directory of meltano.yml; environment: dev, staging, prod; database_uri: Meltano's system database.

    missing: variables without which no sync can run, of the setting `required_variables`.
    run_logs: where Meltano keeps a log per run; None when that may be shared with other projects (bin/meltano makes it the project's own).
    """

    root: Path
    environment: str
    database_uri: str
    run_id: str
    records: Path
    suffix: str = ""
    given_env_file: str = ""
    missing: tuple[str, ...] = ()
    run_logs: Path | None = None

    @classmethod
    def from_environment(cls, variables: Mapping[str, str] = os.environ) -> Project:
        """Raises ProjectError outside of Meltano, unless MELTANO_PROJECT_ROOT and MELTANO_ENVIRONMENT are set."""
        try:
            root = Path(variables["MELTANO_PROJECT_ROOT"])
            environment = variables["MELTANO_ENVIRONMENT"]
        except KeyError as missing:
            raise ProjectError(f"{missing.args[0]} is not set; start this through `meltano invoke wms-ops ...`") from missing
        if variables.get("MELTANO_STATE_BACKEND_URI", "systemdb") != "systemdb":
            raise ProjectError(
                "MELTANO_STATE_BACKEND_URI moves the states out of the system database, where the guards do not see them; unset it"
            )
        return cls(
            root,
            environment,
            variables.get("MELTANO_DATABASE_URI") or "sqlite:///.meltano/meltano.db",
            variables.get("MELTANO_RUN_ID") or str(uuid.uuid4()),
            Path(variables.get("WMS_OPS_RUN_RECORD_DIR") or root / "logs" / "monitoring"),
            variables.get("MELTANO_STATE_ID_SUFFIX") or "",
            variables.get("MELTANO_ENV_FILE") or "",
            missing_variables(variables.get("WMS_OPS_REQUIRED_VARIABLES") or "", variables),
            own_run_logs(root, variables),
        )

    def state_id(self, entity: str) -> str:
        """The state that an entity's full and incremental job share."""
        return self._state_id(f"{TAP}--{entity}")

    @property
    def plain_state_id(self) -> str:
        """The state of `meltano run tap-oracle-wms target-oracle`, which holds all entities."""
        return self._state_id(TAP)

    def _state_id(self, tap: str) -> str:
        return ":".join(part for part in (self.environment, f"{tap}-to-{TARGET}", self.suffix) if part)

    @property
    def env_file(self) -> Path:
        """The file that bin/meltano lets Meltano read its variables from."""
        named = self.root / self.given_env_file if self.given_env_file else self.root / f".env.{self.environment}"
        return named if self.given_env_file or named.exists() else self.root / ".env"

    def variables_for_runs(self, variables: Mapping[str, str] = os.environ) -> dict[str, str]:
        """The variables to start Meltano with: ours, without those that Meltano gave us from its env file.

        Left in, they would win over the file for ever, and a changed password would only count after a restart of the scheduler.
        """
        from_file = read_env_file(self.env_file)
        return {name: value for name, value in variables.items() if from_file.get(name) != value}

    @property
    def run_directory(self) -> Path:
        """Where Meltano puts the configuration of running plugins, passwords included."""
        return self.root / ".meltano" / "run"


def own_run_logs(root: Path, variables: Mapping[str, str]) -> Path | None:
    """Meltano's logs, one directory per run, where they are this project's alone."""
    home = variables.get("XDG_STATE_HOME")
    if not home or (home != variables.get("MELTANO_LOG_HOME") and root not in Path(home).parents):
        return None
    return Path(home) / "meltano" / "log" / "elt"


def missing_variables(required: str, variables: Mapping[str, str]) -> tuple[str, ...]:
    """Of names parted by blanks, those without a value. `A|B`: one of them is enough."""
    return tuple(
        " or ".join(choice.split("|")) for choice in required.split() if not any(variables.get(name) for name in choice.split("|"))
    )


def read_env_file(path: Path) -> dict[str, str]:
    """NAME=value lines, `export` and quotes taken off; {} without a file."""
    found = {}
    for line in path.read_text().splitlines() if path.exists() else ():
        name, separator, value = line.strip().removeprefix("export ").partition("=")
        if separator and not name.startswith("#"):
            value = value.strip()
            found[name.strip()] = value[1:-1] if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"" else value
    return found
