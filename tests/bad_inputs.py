"""Every bad input with what the program says to it: a test runs this table, the documentation shows it.

A row's `prepare` brings a program into the state; what `{...}` names in texts is put in by the test.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tests.support.black_holes import UNKNOWN_HOST
from tests.support.program import Program
from tests.support.raw_server import Peer
from tests.support.simulated_engine import SimulatedEngine

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
GOOD = 'endpoint = "{receiver}"\n[engines.orders]\nrest = "{engine}"\ntimeout = "2s"\n'
RAW = 'endpoint = "{receiver}"\n[engines.orders]\nrest = "http://{raw}/engine-rest"\ntimeout = "2s"\n'


@dataclass(frozen=True)
class BadInput:
    """One row.

    Attributes:
        what: The input, for people.
        message: A part of the one line that it leads to.
        status: The exit status.
        config: The configuration; bytes where it is no text.
        command: What is called.
        prepare: Done before, to the program.
        engine: Done before, to the simulated engine.
        script: What the raw server does on a connection.
        variables: More of the environment.
        unprivileged: Whether it happens only to a user who is not root.
    """

    what: str
    message: str
    status: int
    config: str | bytes = GOOD
    command: str = "preview"
    prepare: Callable[[Program], None] = lambda _: None
    engine: Callable[[SimulatedEngine], None] = lambda _: None
    script: Callable[[Peer], object] = Peer.hang
    variables: Mapping[str, str] = field(default_factory=dict)
    unprivileged: bool = False


def _answers(body: bytes, status: int = 200, kind: str = "application/json") -> Callable[[SimulatedEngine], None]:
    def prepare(engine: SimulatedEngine) -> None:
        engine.override["/telemetry/data"] = (status, kind, body)
        engine.override["/version"] = (404, "text/plain", b"")

    return prepare


def _says(*pieces: bytes, gap: float = 0.0) -> Callable[[Peer], None]:
    def script(peer: Peer) -> None:
        peer.read_head()
        peer.drip(pieces, gap)

    return script


def _endless(peer: Peer) -> None:
    peer.read_head()
    peer.send(HEAD + b"\r\n")
    while True:
        peer.send(b" " * 65536)


def _enabled(then: Callable[[Program], None]) -> Callable[[Program], None]:
    def prepare(program: Program) -> None:
        assert program("enable", "--yes").status == 0
        then(program)

    return prepare


def _key(content: bytes) -> Callable[[Program], None]:
    def prepare(program: Program) -> None:
        (program.directory / "key.txt").write_bytes(content)

    return prepare


def _foreign_schedule(program: Program) -> None:
    (program.directory / "etc" / "cron.d").mkdir(parents=True)
    (program.directory / "etc" / "cron.d" / "telemetry").write_text("5 5 * * * root telemetry send\n")


def _store_is_directory(program: Program) -> None:
    program.store.mkdir(parents=True)


def _store_is_garbage(program: Program) -> None:
    program.store.parent.mkdir(parents=True)
    program.store.write_bytes(b"this is no database, and it is longer than a header of one would be" * 100)


def _store_is_newer(program: Program) -> None:
    with sqlite3.connect(program.store) as database:
        database.execute("INSERT INTO migration (version, applied_at) VALUES (999, 0)")


def _store_is_read_only(program: Program) -> None:
    program.store.chmod(0o400)
    program.store.parent.chmod(0o555)


def _flip_a_bit(program: Program) -> None:
    with sqlite3.connect(program.store) as database:
        database.execute("UPDATE base SET ledger = replace(ledger, 'taken', 'token')")


ENDPOINTS = (
    BadInput("an endpoint that is no URL", 'endpoint is not an absolute URL such as "https://', 3,
             config='endpoint = "telemetry.example.com"\n'),
    BadInput("an endpoint of another scheme", "endpoint is not an absolute URL", 3, config='endpoint = "ftp://x/"\n'),
    BadInput("an endpoint with credentials", "credentials do not belong into it", 3,
             config='endpoint = "https://ada:geheim@telemetry.example.com/"\n'),
    BadInput("an endpoint with plain HTTP to another host", "endpoint is plain HTTP to another host", 3,
             config='endpoint = "http://telemetry.example.com/"\n'),
    BadInput("an endpoint that answers garbage", "the connection ended without an HTTP answer", 6,
             config=GOOD.replace("{receiver}", "http://{raw}/pings"), command="send --initial",
             script=_says(b"\x00\x01 garbage \xff\r\n\r\n"), variables={"TELEMETRY_REPORTER__RETRIES": "0"}),
    BadInput("an endpoint that answers 404", "was refused by http://127.0.0.1:", 6,
             config=GOOD.replace("{receiver}", "{engine}"), command="send --initial"),
)  # fmt: skip

ENGINES = (
    BadInput("nothing listens at the engine's address", "gives no answer: connection refused", 5,
             config=GOOD.replace("{engine}", "http://127.0.0.1:{free}/engine-rest")),
    BadInput("an engine whose host is not known", "gives no answer: its name is not known", 5,
             config=GOOD.replace("{engine}", f"http://{UNKNOWN_HOST}/engine-rest")),
    BadInput("an engine's address that answers HTML", "answers something that is not JSON", 5,
             engine=_answers(b"<html>login</html>", kind="text/html")),
    BadInput("an engine's address that answers 404", "There is no http://127.0.0.1:", 5, engine=_answers(b"", 404)),
    BadInput("an engine's address that answers 401", "it wants a user and password", 5, engine=_answers(b"", 401)),
    BadInput("an engine's address that answers 403", "refuses this user (403)", 5, engine=_answers(b"{}", 403)),
    BadInput("an engine without a registered application server", "no application server is registered with it", 5,
             engine=_answers(b'{"type":"NullPointerException","message":null}', 500)),
    BadInput("an engine that answers 500", "answers 500", 5, engine=_answers(b"boom", 500, "text/plain")),
    BadInput("JSON that is no engine's", "answers JSON of another shape", 5, engine=_answers(b'[{"name":"default"}]')),
    BadInput("JSON without a product", "answers JSON of another shape", 5, engine=_answers(b'{"installation":"x"}')),
    BadInput("JSON of wrong types", "answers JSON of another shape", 5,
             engine=_answers(b'{"product":{"name":7,"version":true,"edition":[]}}')),
    BadInput("JSON that is nested without end", "answers something that is not JSON", 5,
             engine=_answers(b"[" * 100_000)),
    BadInput("an engine without an installation id", "does not say its installation id", 5,
             engine=lambda engine: engine.data.update(installation=None)),
    BadInput("a body without end", "too large or breaks off", 5, config=RAW, script=_endless),
    BadInput("an engine that accepts and says nothing", "no answer within 2 s", 5, config=RAW),
    BadInput("an engine that says a byte a second", "no answer within 2 s", 5, config=RAW,
             script=_says(*(bytes([byte]) for byte in HEAD), gap=1.0)),
    BadInput("an engine that hangs up", "the connection ended without an HTTP answer", 5, config=RAW,
             script=Peer.read_head),
    BadInput("an engine name that is not there", "There is no process engine named 'x'", 5,
             config=GOOD + 'name = "x"\n', engine=_answers(b'{"type":"InvalidRequestException"}', 404)),
)  # fmt: skip

CONFIGURATIONS = (
    BadInput("a configuration that is not there", "cannot be read: No such file or directory", 3,
             command="--config /nonexistent/telemetry.toml status"),
    BadInput("a misspelt setting", "toml:1: there is no setting endpiont. The nearest setting is endpoint.", 3,
             config='endpiont = "https://telemetry.example.com/"\n', command="status"),
    BadInput("a misspelt setting of an engine", "The nearest setting is engines.orders.rest.", 3,
             config='[engines.orders]\nrst = "http://127.0.0.1/"\n', command="status"),
    BadInput("a value of the wrong type", "telemetry.toml:2: reporter.period is not a length of time", 3,
             config="[reporter]\nperiod = 24\n", command="status"),
    BadInput("a rate that is none", 'collector.network-limit is not a rate such as "50/s burst 5000"', 3,
             config='[collector]\nnetwork-limit = "50/s"\n', command="status"),
    BadInput("a rate of nothing", "collector.total-limit is not a rate", 3,
             config='[collector]\ntotal-limit = "0/s burst 10"\n', command="status"),
    BadInput("a period of zero", "it is shorter than a second or longer than a year", 3,
             config='[reporter]\nperiod = "0s"\n', command="status"),
    BadInput("a period of more than a year", "it is shorter than a second or longer than a year", 3,
             config='[reporter]\nperiod = "400d"\n', command="run"),
    BadInput("readings without a pause", "reporter.sample-period is not a length of time", 3,
             config='[reporter]\nsample-period = "0s"\n', command="send"),
    BadInput("a delay that is no time", "reporter.initial-delay is not a length of time", 3,
             config='[reporter]\ninitial-delay = "soon"\n', command="run"),
    BadInput("an engine without an address", "engines.orders says nowhere to find the engine", 3,
             config="[engines.orders]\n", command="status"),
    BadInput("no engine", "No engine is configured", 3, config="", command="preview"),
    BadInput("consent without an endpoint", "Consent is given for an endpoint, and none is configured", 3,
             config='[engines.orders]\nrest = "{engine}"\n', command="enable --yes"),
    BadInput("a field to withhold that is none", "there is no field licence-key, the nearest is license-key", 3,
             config='withhold = ["licence-key"]\n', command="status"),
    BadInput("no TOML", "is not valid TOML", 3, config="endpoint = \n", command="status"),
    BadInput("a NUL in the configuration", "is not valid TOML", 3, config=b'endpoint = "\x00"\n', command="status"),
    BadInput("a configuration in another encoding", "is not UTF-8", 3, config='# für\n'.encode("latin-1"),
             command="status"),
    BadInput("a configuration of 10 MB", "is larger than 1048576 bytes", 3, config=b"#" * 10_000_000, command="status"),
    BadInput("a password in a file that others can read", "Run: chmod 600", 3, command="status",
             config='[engines.orders]\nrest = "http://ada:geheim@127.0.0.1/"\n',
             prepare=lambda program: program.config.chmod(0o644)),
    BadInput("a file with a password that others can read", "Run: chmod 600", 3,
             config=GOOD + 'username = "ada"\npassword-file = "telemetry.toml"\n',
             prepare=lambda program: program.config.chmod(0o640)),
    BadInput("a proxy of another kind", 'ALL_PROXY: reporter.proxy is not the address of an HTTP proxy such as', 3,
             command="status", variables={"ALL_PROXY": "socks5://ada:geheim@127.0.0.1:1080"}),
    BadInput("an exemption from the proxy that is none", "'10.0.0.0/99' is neither a host nor a network", 3,
             command="status", config='[reporter]\nno-proxy = ["10.0.0.0/99"]\n'),
    BadInput("a word for where the log goes that is none", "a file is named with its directory", 3,
             command="status", config='[log]\nto = "journal"\n'),
    BadInput("a log in a directory that is not there", "log.to: /nonexistent/t.log cannot be used", 3,
             command="send", config='[log]\nto = "/nonexistent/t.log"\n'),
    BadInput("a log for a syslog that is not there", "/nonexistent cannot be used: No such file or directory", 3,
             command="send", config='[log]\nto = "syslog:/nonexistent"\n'),
    BadInput("a size of a file that is none", 'log.rotate-size is not a size such as "10M"', 3,
             command="status", config='[log]\nrotate-size = "10 MB"\n'),
    BadInput("authorities in a directory without hashed names", "has no certificates under the names that OpenSSL", 3,
             config='[engines.orders]\nrest = "https://127.0.0.1:{free}/"\nca-file = "."\n'),
    BadInput("a key without its certificate", "client-key is set without engines.orders.client-cert", 3,
             config='[engines.orders]\nrest = "https://127.0.0.1:{free}/"\nclient-key = "telemetry.toml"\n'),
    BadInput("certificates that are none", "cannot be used for TLS", 3,
             config='[engines.orders]\nrest = "https://127.0.0.1:{free}/"\nca-file = "telemetry.toml"\n'),
)  # fmt: skip

STORES = (
    BadInput("a store that is a directory", "cannot be used: Is a directory", 8, command="send",
             prepare=_store_is_directory),
    BadInput("a store that is garbage", "is damaged: file is not a database", 8, command="status",
             prepare=_store_is_garbage),
    BadInput("a store of a newer release", "was written by a newer release", 8, command="status",
             prepare=_enabled(_store_is_newer)),
    BadInput("a flipped bit in the store", "is not as it was written", 8, command="history --verify",
             prepare=_enabled(_flip_a_bit)),
    BadInput("a store that only others may write", "cannot be used", 8, command="send",
             prepare=_enabled(_store_is_read_only), unprivileged=True),
    BadInput("a place for the store where nothing can be made", "cannot be used", 8, command="send",
             variables={"TELEMETRY_STORE": f"{os.devnull}/telemetry.db"}),
    BadInput("a shared store that nothing listens at", "cannot be used: connection to server at", 8, command="status",
             variables={"TELEMETRY_STORE": "postgresql://ada:geheim@127.0.0.1:1/telemetry"}),
)  # fmt: skip

COMMANDS = (
    BadInput("a command that is none", "No such command 'sned'", 2, command="sned"),
    BadInput("an option that is none", "No such option: --frce", 2, command="send --frce"),
    BadInput("an engine that is not configured", "No engine is called 'x'.", 2,
             command="status --engine x"),
    BadInput("a report that is not there", "No report has an id that starts with 'ffff'", 2, command="history ffff"),
    BadInput("a file for metrics in a directory that is not there", "x.prom cannot be written: No such file or", 2,
             command="status --openmetrics /nonexistent/x.prom"),
    BadInput("a file for metrics that is a directory", "--openmetrics: . is no file", 2,
             command="status --openmetrics ."),
    BadInput("no terminal to ask on", "Add --yes", 2, command="enable"),
    BadInput("a process to end with that is not there", "There is no process 99999999.", 2,
             command="run --with 99999999"),
    BadInput("a process to end with that is none", "Invalid value for '--with'", 2, command="run --with 0"),
    BadInput("a final report and another one", "--final goes with no other way of sending", 2,
             command="send --final --force"),
    BadInput("force without consent", "Telemetry is not configured for orders", 4, command="send --force"),
)  # fmt: skip

SCHEDULES = (
    BadInput("a schedule every 0 seconds", "'0s' is not one of '5m', '15m', 'hourly', 'daily'", 2,
             command="schedule install --every 0s"),
    BadInput("a schedule once a year", "'365d' is not one of '5m', '15m', 'hourly', 'daily'", 2,
             command="schedule install --every 365d"),
    BadInput("a schedule that is too rare for the period", "--every daily is less often than a report is due", 2,
             config='[reporter]\nperiod = "1h"\n', command="schedule show cron --every daily"),
    BadInput("a kind of schedule that is none", "'anacron' is not one of 'cron', 'systemd'", 2,
             command="schedule install anacron"),
    BadInput("a schedule that no host takes", "A schedule for windows is not installed from here", 2,
             command="schedule install windows"),
    BadInput("a resident reporter of cron", "There is no resident reporter for cron", 2,
             command="schedule show cron --resident"),
    BadInput("a stop hook of nothing", "A stop hook needs the engine's service", 2, command="schedule show stop-hook"),
    BadInput("a stop hook of what is no service", "'camunda' is not the name of a systemd service", 2,
             command="schedule show stop-hook --unit camunda"),
    BadInput("a stop hook for an engine that is not configured", "No engine is called 'x'", 2,
             command="schedule show stop-hook --unit camunda.service --engine x"),
    BadInput("a schedule without crontab", "There is no crontab here. Install cron", 3, unprivileged=True,
             command="schedule install cron", variables={"PATH": "/nonexistent"}),
    BadInput("a schedule without systemd", "systemd does not run here. Take `telemetry schedule install cron`", 3,
             unprivileged=True, command="schedule install systemd", variables={"PATH": "/nonexistent"}),
    BadInput("a schedule where this user may not write", "cannot be changed: Permission denied. Run as root", 3,
             unprivileged=True, command="schedule install cron --image /usr"),
    BadInput("a schedule in a place where nothing can be made", "cannot be changed: Not a directory", 3,
             command=f"schedule install cron --image {os.devnull}"),
    BadInput("a schedule with a file of somebody else in its place", "was not written by `telemetry schedule install`",
             3, command="schedule install cron --image .", prepare=_foreign_schedule),
)  # fmt: skip

LICENSES = (
    BadInput("a licence key that nobody gives", "There is no terminal to ask on", 2, command="license set"),
    BadInput("an empty licence key", "The licence key is empty", 2, command="license set -"),
    BadInput("a licence file that is not there", "The file that --file names cannot be read: No such file", 2,
             command="license set --file key.txt"),
    BadInput("a licence of which all may be signature", "cannot be told what of the licence key is its signature", 2,
             command="license set --file key.txt", prepare=_key(b"geheim" * 20)),
    BadInput("a licence that is no text", "The licence key is not UTF-8 text", 2,
             command="license set --file key.txt", prepare=_key(b"\xff\xfegeheim")),
    BadInput("a licence that is larger than any", "The licence key is larger than 65536 bytes", 2,
             command="license set --file key.txt", prepare=_key(b"geheim;" * 10_000)),
    BadInput("JSON that is no licence", "The licence key is JSON, but no licence", 2,
             command="license set --file key.txt", prepare=_key(b'{"signature": "geheim"')),
)  # fmt: skip

TABLE = (*ENDPOINTS, *ENGINES, *CONFIGURATIONS, *STORES, *COMMANDS, *SCHEDULES, *LICENSES)
