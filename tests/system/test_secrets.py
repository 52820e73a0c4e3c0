"""Secrets on the real thing: a store and an engine's database on PostgreSQL, TLS with a client's certificate."""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import trustme

from telemetry_core.config import Url
from tests.batteries import canaries
from tests.batteries.canaries import COMMANDS, Cage
from tests.batteries.world import World
from tests.support.certificates import Certificates
from tests.support.engine_tables import SIGNATURE
from tests.support.postgresql import PostgreSQL
from tests.support.receiver import Receiver

PASSWORD = "CanaryStorePasswordZwitschert"


@dataclass
class Scene:
    """A program with all these secrets, and what must be nowhere."""

    cage: Cage
    receiver: Receiver
    secrets: tuple[bytes, ...]

    def leaks(self, content: bytes) -> list[str]:
        return [*canaries.leaks(content), *(secret.decode() for secret in self.secrets if secret in content)]

    def use(self) -> None:
        """Every command, every second one with JSON; none shows one, and none ends with a bug."""
        for number, command in enumerate(COMMANDS):
            done = canaries.call(self.cage, f"{command} --json" if number % 2 else command)
            assert (self.leaks(done.stdout), self.leaks(done.stderr)) == ([], []), command
            assert done.status != 1, (command, done.errors)


@pytest.fixture
def scene(postgresql: PostgreSQL, shared_place: Url, tables: str, tmp_path: Path) -> Iterator[Scene]:
    certificates = Certificates(trustme.CA(), tmp_path)
    certificates.authority.cert_pem.write_to_path(str(certificates.ca_file))
    cert, key = certificates.client()
    tls = certificates.server()
    tls.load_verify_locations(certificates.ca_file)
    tls.verify_mode = ssl.CERT_REQUIRED
    database = shared_place.text.rpartition("/")[2]
    postgresql.execute(
        "postgres", "DROP ROLE IF EXISTS canary", f"CREATE ROLE canary SUPERUSER LOGIN PASSWORD '{PASSWORD}'"
    )
    query = "SELECT value_ FROM act_ge_property WHERE name_ = 'camunda.installation.id'"
    ((installation,),) = postgresql.execute(tables, query)
    with World.running() as world, Receiver(tls=tls) as receiver:
        cage = canaries.prepare(world)
        world.engine.data["installation"] = installation
        world.engine.data["product"]["internals"]["license-key"] = None  # so that the database's is taken
        more = f'ca-file = "{certificates.ca_file}"\nclient-cert = "{cert}"\nclient-key = "{key}"\n'
        canaries.configure(cage, endpoint=receiver.url, more=more)
        text = re.sub(r"(?m)^proxy = .*\n", "", world.program.config.read_text())
        text = re.sub(r"(?m)^database = .*\n", f'database = "{postgresql.url(tables)}"\n', text)
        text = re.sub(r"(?m)^database-password-file = .*\n", "", text)
        world.program.config.write_text(text.replace(" @127", "@127"))
        world.program.variables["TELEMETRY_STORE"] = postgresql.url(database, "canary", PASSWORD)
        key_lines = tuple(line for line in key.read_bytes().splitlines() if b"-" not in line)
        yield Scene(cage, receiver, (PASSWORD.encode(), b"root pass/word", SIGNATURE.encode(), *key_lines))
    postgresql.execute(database, "DROP OWNED BY canary CASCADE")
    postgresql.execute("postgres", "DROP ROLE canary")


def stored(postgresql: PostgreSQL, database: str) -> bytes:
    """Everything that the store holds, as text."""
    names = postgresql.execute(
        database, "SELECT relname FROM pg_class WHERE relnamespace = 'telemetry'::regnamespace AND relkind = 'r'"
    )
    rows = [postgresql.execute(database, f"SELECT t::text FROM telemetry.{name} t") for (name,) in names]
    bodies = postgresql.execute(database, "SELECT convert_from(body, 'UTF8') FROM telemetry.report")
    return repr((rows, bodies)).encode()


def test_no_command_shows_or_keeps_one(scene: Scene, postgresql: PostgreSQL, shared_place: Url) -> None:
    assert canaries.call(scene.cage, "enable --yes").status == 0
    sent = canaries.call(scene.cage, "send")
    assert (sent.status, sent.errors) == (0, "")
    scene.use()
    kept = stored(postgresql, shared_place.text.rpartition("/")[2])
    assert b"ACME" in kept  # the licence of the engine's database has got as far as this, without its signature
    assert scene.leaks(kept) == []
    assert scene.receiver.received
    for request in scene.receiver.received:
        assert scene.leaks(request.body) == []


@pytest.mark.family
def test_nor_while_the_store_lets_nobody_in(scene: Scene, postgresql: PostgreSQL) -> None:
    postgresql.execute("postgres", "ALTER ROLE canary PASSWORD 'another'")
    scene.use()
    assert scene.receiver.received == []
