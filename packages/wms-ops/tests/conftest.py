"""A real Meltano with a real system database, and a pipeline that only waits: what the guards have to tell apart."""

import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import pytest
from wms_ops.project import Project

ROOT = Path(__file__).parents[3]

MELTANO_YML = """
default_environment: dev
send_anonymous_usage_stats: false
auto_install: false
cli: {disable_version_check: true}
environments: [{name: dev}, {name: prod}]
plugins:
  extractors:
  - {name: tap-oracle-wms--allocation, namespace: tap, executable: ./tap.sh, capabilities: []}
  loaders:
  - {name: target-oracle, namespace: target, executable: ./target.sh, capabilities: []}
jobs:
- name: allocation_full_sync
  tasks: [tap-oracle-wms--allocation target-oracle]
- name: broken
  tasks: [tap-oracle-wms--nothing target-oracle]
schedules:
- {name: allocation_full_sync, job: allocation_full_sync, interval: "* * * * *"}
"""
TAP = '#!/bin/sh\nwhile [ ! -e finish ]; do sleep 0.1; done\necho \'{"type": "STATE", "value": {"bookmarks": {}}}\'\n'
TARGET = "#!/bin/sh\nexec cat\n"


class Meltano:
    """Meltano in a project of its own, as a user would start it."""

    def __init__(self, root: Path, database_uri: str | None) -> None:
        self.root = root
        (root / "meltano.yml").write_text(MELTANO_YML)
        for name, text in (("tap.sh", TAP), ("target.sh", TARGET)):
            (root / name).write_text(text)
            (root / name).chmod(0o755)
        self.variables = {**os.environ, "MELTANO_LOG_HOME": str(root / "logs")}
        self.variables.pop("MELTANO_RUN_ID", None)
        if database_uri:
            self.variables["MELTANO_DATABASE_URI"] = database_uri
        self.project = Project.from_environment(
            {"MELTANO_PROJECT_ROOT": str(root), "MELTANO_ENVIRONMENT": "dev", "MELTANO_DATABASE_URI": database_uri or ""}
        )

    def __call__(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [str(ROOT / "bin" / "meltano"), *arguments]
        return subprocess.run(command, cwd=self.root, env=self.variables, capture_output=True, text=True, check=False, timeout=60)

    def start(self, job: str = "allocation_full_sync") -> subprocess.Popen[bytes]:
        """Start the job in the background and wait until Meltano has marked it as running."""
        process = subprocess.Popen(
            [str(ROOT / "bin" / "meltano"), "run", job],
            cwd=self.root,
            env=self.variables,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        from wms_ops.system_database import SystemDatabase

        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            with SystemDatabase(self.project.database_uri, self.root) as database:
                if database.running([self.project.state_id("allocation")]):
                    return process
            assert process.poll() is None, "the job ended before it was marked as running"
            time.sleep(0.1)  # another process writes the row; there is nothing to wait on
        raise AssertionError("the job was never marked as running")

    def finish(self) -> None:
        """Let the waiting tap end."""
        (self.root / "finish").touch()


@pytest.fixture(scope="session")
def postgresql():
    """The URI of a PostgreSQL server of our own; skipped where the machine has none."""
    if shutil.which("initdb") is None:
        pytest.skip("this machine has no PostgreSQL")
    user = "nobody" if os.geteuid() == 0 else None
    with tempfile.TemporaryDirectory(prefix="postgresql-") as directory:  # pytest closes its own to other users, again and again
        home = Path(directory)
        if user:
            shutil.chown(home, user)

        def run(*command: str) -> None:
            subprocess.run(command, check=True, user=user, cwd=home, capture_output=True, timeout=60)

        run("initdb", "-D", str(home / "data"), "-A", "trust", "-U", "meltano", "--no-sync")
        options = f"-k {home} -c listen_addresses= -c fsync=off"
        run("pg_ctl", "-D", str(home / "data"), "-w", "-l", str(home / "log"), "-o", options, "start")
        yield f"postgresql://meltano@/postgres?host={home}"
        run("pg_ctl", "-D", str(home / "data"), "-m", "immediate", "stop")


@pytest.fixture(scope="session")
def migrated(tmp_path_factory) -> dict[str, str]:
    """Databases that Meltano has created and migrated, once a session, to be copied for each test; by kind."""
    home = tmp_path_factory.mktemp("migrated")
    assert Meltano(home, None)("state", "list").returncode == 0
    return {"sqlite": str(home / ".meltano" / "meltano.db")}


@pytest.fixture(scope="session")
def migrated_postgresql(postgresql, tmp_path_factory, migrated) -> dict[str, str]:
    template = uri_of(postgresql, "template_of_meltano")
    subprocess.run(["psql", postgresql, "-qc", "CREATE DATABASE template_of_meltano"], check=True, capture_output=True)
    assert Meltano(tmp_path_factory.mktemp("migrated"), template)("state", "list").returncode == 0
    return {**migrated, "postgresql": "template_of_meltano"}


def uri_of(server: str, database: str) -> str:
    """The URI of a database on the server, as SQLAlchemy takes it."""
    return server.replace("/postgres?", f"/{database}?").replace("postgresql:", "postgresql+psycopg:")


@pytest.fixture
def meltano_sqlite(migrated, tmp_path):
    (tmp_path / ".meltano").mkdir()
    shutil.copy(migrated["sqlite"], tmp_path / ".meltano" / "meltano.db")
    return Meltano(tmp_path, None)


@pytest.fixture(params=["sqlite", "postgresql"])
def meltano(request, tmp_path):
    """Meltano whose system database exists but holds nothing yet."""
    if request.param == "sqlite":
        return request.getfixturevalue("meltano_sqlite")
    server, template = request.getfixturevalue("postgresql"), request.getfixturevalue("migrated_postgresql")["postgresql"]
    name = f"t{abs(hash(str(tmp_path))):x}"
    subprocess.run(["psql", server, "-qc", f"CREATE DATABASE {name} TEMPLATE {template}"], check=True, capture_output=True)
    return Meltano(tmp_path, uri_of(server, name))
