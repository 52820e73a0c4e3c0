"""Every setting there is: its key, type, default and meaning; documentation, schema and completion come from here."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from telemetry_core.config import log_values, networks, rates, values
from telemetry_core.config.log_values import LogTarget, Size
from telemetry_core.config.rates import Rate
from telemetry_core.config.values import Type, Url
from telemetry_core.model import Endpoint, Millis


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting.

    Attributes:
        key: Its whole key.
        type: Reads its value.
        meaning: For people.
        default: Written as TOML gives it, None where there is none.
        usual: Variables of all programs that say it where nothing else does, the first that is set wins.
    """

    key: str
    type: Type
    meaning: str
    default: object = None
    usual: tuple[str, ...] = ()


_AUTHORITIES = ("SSL_CERT_FILE", "SSL_CERT_DIR")
#: Upper case HTTP_PROXY is missing: a web server makes it of a request's header `Proxy` for its scripts.
_PROXIES = ("https_proxy", "HTTPS_PROXY", "http_proxy", "all_proxy", "ALL_PROXY")

SETTINGS = (
    Setting("endpoint", values.ENDPOINT, "Where reports go. Consent is given for its scheme, host and port."),
    Setting("allow-http", values.FLAG, "Allow a plain HTTP endpoint on another host.", default=False),
    Setting("initialize-telemetry", values.FLAG, "Enable or disable telemetry at the first run; later without effect."),
    Setting("telemetry-reporter-activate", values.FLAG, "false: no request to the endpoint, ever.", default=True),
    Setting("withhold", values.FIELD_NAMES, "Fields that are left out of every report.", []),
    Setting("store", values.STORE, "The store: a file, or a database of PostgreSQL that several nodes share."),
    Setting("store-password-file", values.PATH, "A file with the password for a store on PostgreSQL."),
    Setting("state-directory", values.PATH, "What this host keeps for itself: the store where none is named, and the"
            " marker of a shared one."),
    Setting("reporter.period", values.DURATION, "One report each.", "24h"),
    Setting("reporter.retries", values.COUNT, "Attempts after the first one, within one run.", 2),
    Setting("reporter.timeout", values.DURATION, "Time for one attempt to deliver.", "15s"),
    Setting("reporter.deadline", values.DURATION, "Time for all attempts of one run.", "60s"),
    Setting("reporter.sample-period", values.DURATION, "A reading at least as often, so that the end of an engine loses"
            " little.", "6h"),
    Setting("reporter.initial-delay", values.DURATION, "`run`: from its start to the first check, once telemetry was"
            " enabled or disabled.", "5m"),
    Setting("reporter.final-deadline", values.DURATION, "Time for the final report, half of it for reading.", "5s"),
    Setting("reporter.ca-file", values.PATH, "Authorities (PEM) that the endpoint is checked against, instead of the"
            " system's: a file, or a directory with hashed names.", usual=_AUTHORITIES),
    Setting("reporter.client-cert", values.PATH, "Our certificate (PEM) for the endpoint."),
    Setting("reporter.client-key", values.PATH, "The key (PEM) of `client-cert`."),
    Setting("reporter.proxy", values.PROXY, "An HTTP proxy on the way to the endpoint.", usual=_PROXIES),
    Setting("reporter.no-proxy", values.HOSTS, "Hosts and networks that are asked without the proxy.", [],
            usual=("no_proxy", "NO_PROXY")),
    Setting("reporter.token-file", values.PATH, "A file with the bearer token for the endpoint."),
    Setting("log.level", log_values.LEVEL, "From which level on the log is written.", "warning"),
    Setting("log.to", log_values.TARGET, "Where the log goes, with `syslog:PATH` and `journald:PATH` for sockets"
            " elsewhere. Without it nowhere, or below warning to standard error."),
    Setting("log.format", values.choice("text", "json"), "Lines of text, or JSON, one object a line; journald has"
            " fields of its own.", "text"),
    Setting("log.rotate-size", log_values.SIZE, "From which size on a file of the log is put aside.", "10M"),
    Setting("log.rotate-count", values.COUNT, "How many files that were put aside are kept; 0 puts none aside, for"
            " logrotate.", 5),
    Setting("serve.listen", values.TEXT, "`serve`: the address that it listens at.", "127.0.0.1"),
    Setting("serve.port", values.PORT, "`serve`: the port that it listens at.", 8470),
    Setting("serve.tls-cert", values.PATH, "`serve`: its certificate (PEM), with those between it and the authority."),
    Setting("serve.tls-key", values.PATH, "`serve`: the key (PEM) of `tls-cert`."),
    Setting("serve.allow-http", values.FLAG, "`serve`: allow passwords to come in plain HTTP from other hosts, behind a"
            " proxy that speaks TLS.", default=False),
    Setting("serve.token-file", values.PATH, "`serve`: a file with the digests of bearer tokens for machines."),
    Setting("collector.listen", values.TEXT, "`collector serve`: the address that it listens at.", "127.0.0.1"),
    Setting("collector.port", values.PORT, "`collector serve`: the port that it listens at.", 8471),
    Setting("collector.proxies", networks.NETWORKS, "`collector serve`: the proxies before it, which say where a"
            " request comes from; nobody else is believed.", []),
    Setting("collector.forwarded", values.choice("x-forwarded-for", "forwarded"), "`collector serve`: the header in"
            " which those proxies say it.", "x-forwarded-for"),
    Setting("collector.key-period", values.DURATION, "`collector serve`: how long one key hashes the addresses that"
            " requests come from; it is kept for as long again, then destroyed.", "7d"),
    Setting("collector.key-file", values.PATH, "`collector serve`: the file with those keys, apart from the reports;"
            " without it `collector.keys` in the state directory."),
    Setting("collector.installation-limit", rates.RATE, "`collector serve`: how many reports of one installation are"
            " taken.", "1/s burst 3000"),
    Setting("collector.network-limit", rates.RATE, "`collector serve`: how many reports of one address, or one network"
            " of IPv6, are taken; this host has no such limit.", "50/s burst 5000"),
    Setting("collector.total-limit", rates.RATE, "`collector serve`: how many reports are taken in all.",
            "500/s burst 1000000"),
    Setting("collector.token-file", values.PATH, "`collector serve`: a file with the digests of tokens for its page;"
            " without it there is no page."),
    Setting("collector.allow-http", values.FLAG, "`collector serve`: allow those tokens to come in plain HTTP from"
            " other hosts, behind a proxy that speaks TLS.", default=False),
)  # fmt: skip

ENGINE_SETTINGS = (
    Setting("rest", values.URL, "The engine's REST API."),
    Setting("nodes", values.URLS, "The REST APIs of the nodes of a cluster, instead of `rest`."),
    Setting("name", values.TEXT, "The engine's name in REST paths, for another than the default engine."),
    Setting("installation", values.TEXT, "The installation id, where the engine does not say it (7.14 to 7.16)."),
    Setting("username", values.TEXT, "User for HTTP Basic authentication."),
    Setting("password-file", values.PATH, "A file with that user's password."),
    Setting("token-file", values.PATH, "A file with a bearer token, instead of user and password."),
    Setting("ca-file", values.PATH, "Authorities (PEM) that the engine is checked against: a file or a directory.",
            usual=_AUTHORITIES),
    Setting("client-cert", values.PATH, "Our certificate (PEM) for the engine."),
    Setting("client-key", values.PATH, "The key (PEM) of `client-cert`."),
    Setting("timeout", values.DURATION, "Time for reading one node.", "15s"),
    Setting("own-reporter", values.choice("auto", "on", "off"), "Whether the engine reports by itself.", "auto"),
    Setting("database", values.DATABASE_URL, "The engine's database."),
    Setting("database-password-file", values.PATH, "A file with the password for the database."),
    Setting("schema", values.TEXT, "The database schema of the engine's tables."),
    Setting("table-prefix", values.TEXT, "The prefix of the engine's tables."),
    Setting("java-home", values.PATH, "The JDK that runs the engine."),
    Setting("home", values.PATH, "The directory of the server or distribution that runs the engine."),
)  # fmt: skip

#: The tables that group settings, beside those of engines.
TABLES = frozenset(setting.key.partition(".")[0] for setting in SETTINGS if "." in setting.key)


@dataclass(frozen=True, slots=True)
class Reporter:
    """The table `[reporter]`; durations in milliseconds."""

    period: Millis
    retries: int
    timeout: Millis
    deadline: Millis
    sample_period: Millis
    initial_delay: Millis
    final_deadline: Millis
    ca_file: Path | None = None
    client_cert: Path | None = None
    client_key: Path | None = None
    proxy: Url | None = None
    no_proxy: tuple[str, ...] = ()
    token_file: Path | None = None


@dataclass(frozen=True, slots=True)
class Log:
    """The table `[log]`; `rotate_size` in bytes."""

    level: str
    format: str
    rotate_size: Size
    rotate_count: int
    to: LogTarget | None = None


@dataclass(frozen=True, slots=True)
class Serve:
    """The table `[serve]`."""

    listen: str
    port: int
    tls_cert: Path | None = None
    tls_key: Path | None = None
    allow_http: bool = False
    token_file: Path | None = None


@dataclass(frozen=True, slots=True)
class Collector:
    """The table `[collector]`; `key_period` in milliseconds."""

    listen: str
    port: int
    forwarded: str
    key_period: Millis
    installation_limit: Rate
    network_limit: Rate
    total_limit: Rate
    proxies: tuple[str, ...] = ()
    key_file: Path | None = None
    token_file: Path | None = None
    allow_http: bool = False


@dataclass(frozen=True, slots=True)
class Engine:
    """A table `[engines.NAME]`: `entry` is its NAME, `name` the engine's name in REST paths."""

    entry: str
    timeout: Millis
    own_reporter: str
    rest: Url | None = None
    nodes: tuple[Url, ...] = ()
    name: str | None = None
    installation: str | None = None
    username: str | None = None
    password_file: Path | None = None
    token_file: Path | None = None
    ca_file: Path | None = None
    client_cert: Path | None = None
    client_key: Path | None = None
    database: Url | None = None
    database_password_file: Path | None = None
    schema: str | None = None
    table_prefix: str | None = None
    java_home: Path | None = None
    home: Path | None = None

    @property
    def addresses(self) -> tuple[Url, ...]:
        """The REST addresses of all nodes, in the order of the configuration."""
        return self.nodes or ((self.rest,) if self.rest is not None else ())


@dataclass(frozen=True, slots=True)
class Value:
    """A setting with what it is set to, as text without secrets, and where that was said."""

    key: str
    value: object
    origin: str


@dataclass(frozen=True, slots=True)
class Config:
    """The whole configuration; `values` has every value with its origin, for people.

    `forbidden_by` is where the host's policy forbids telemetry, empty where it does not.
    """

    reporter: Reporter
    log: Log
    serve: Serve
    collector: Collector
    endpoint: Endpoint | None = None
    allow_http: bool = False
    initialize_telemetry: bool | None = None
    reporter_activate: bool = True
    withhold: tuple[str, ...] = ()
    store: Path | Url | None = None
    state_directory: Path | None = None
    store_password_file: Path | None = None
    engines: tuple[Engine, ...] = ()
    do_not_track: bool = False
    forbidden_by: str = ""
    values: tuple[Value, ...] = field(default=(), repr=False)
