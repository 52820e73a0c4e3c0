"""One call of the program: which configuration, which store, which host; opened when a command needs them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from telemetry_admin.host import Host
from telemetry_core import files, paths
from telemetry_core.errors import ConfigurationError, StoreDamaged, StoreError, StoreLost, TelemetryError, UsageError

if TYPE_CHECKING:
    from telemetry_core.config import Config, Engine, Layers, Url
    from telemetry_core.reporting import Session

T = TypeVar("T")


@dataclass(slots=True)
class Invocation:
    """What the root command knows; commands get it as Typer's context object.

    Attributes:
        host: The machine and the user.
        explicit_config: What `--config` names.
        lost: What is to be said of stores that this call has found lost.
    """

    host: Host
    explicit_config: Path | None = None
    lost: list[StoreLost] = field(default_factory=list)

    @property
    def layers(self) -> Layers:
        """Where the configuration is looked for: `--config`, `TELEMETRY_CONFIG`, else system and user file."""
        from telemetry_core.config import Layers

        environment = self.host.environment
        named = environment.get("TELEMETRY_CONFIG")
        explicit = self.explicit_config or (Path(named) if named else None)
        places = self.places
        return Layers(places.system_config, places.user_config, explicit, environment, policy=paths.SYSTEM_POLICY)

    @property
    def places(self) -> paths.Places:
        """The default places of this user."""
        return paths.default_places(is_root=self.host.is_root)

    def config(self) -> Config:
        """The checked configuration."""
        from telemetry_core.config import load

        return load(self.layers)

    def store_place(self, config: Config) -> Path | Url:
        """Where the store is, as it is shown."""
        return self.state_directory(config) / paths.STORE_NAME if config.store is None else config.store

    def _store(self, config: Config) -> Path | Url:
        """Where the store is, with what opens it.

        Raises:
            ConfigurationError: The file with the password cannot be used.
        """
        place = self.store_place(config)
        if config.store_password_file is None or isinstance(place, Path):
            return place
        return replace(place, password=files.read_secret(config.store_password_file))

    def state_directory(self, config: Config) -> Path:
        """The directory of what this host keeps for itself."""
        return config.state_directory or self.places.store.parent

    def _store_is_passing(self, config: Config) -> bool:
        """Whether the store goes with its container; one that somebody named is believed to last (DESIGN §6)."""
        if config.store is not None or not self.host.is_container:
            return False
        return not paths.outlives_the_container(self.state_directory(config))

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session that writes nothing."""
        from telemetry_core.reporting import Session
        from telemetry_core.store import Store

        config = self.config()
        with Store.for_reading(
            self._store(config), self.host.clock.now(), markers=self.state_directory(config)
        ) as store:
            yield Session(config, store, self.host.clock, passing=self._store_is_passing(config))

    @contextmanager
    def writing(self, *, first_run: bool = True, config: Config | None = None) -> Iterator[Session]:
        """A session that may write; the first one of a store takes `initialize-telemetry` at its word.

        Args:
            first_run: Whether it does.
            config: What was read before; without it the configuration is read.
        """
        from telemetry_core import administration
        from telemetry_core.reporting import Session
        from telemetry_core.store import Store

        config = self.config() if config is None else config
        place = self._store(config)
        if not isinstance(place, Path):
            self._void_stamp()
        with Store.for_writing(place, self.host.clock.now(), markers=self.state_directory(config)) as store:
            session = Session(config, store, self.host.clock, passing=self._store_is_passing(config))
            if store.begun_anew:
                self._note_loss(store.place, "is gone")
            if first_run:
                administration.first_run(session, self.host.user)
            yield session

    def _void_stamp(self) -> None:
        """Let the next plain `send` look for itself: of a store on a server the stamp sees no change."""
        from telemetry_admin import glance

        stamp = glance.stamp_place(self.host.environment)
        if stamp is not None:
            with suppress(OSError):
                Path(stamp).unlink()

    def deciding(self, do: Callable[[Session], T], *, first_run: bool = False, config: Config | None = None) -> T:
        """Do something that has to be possible after a loss too: a damaged store is set aside, and another begun.

        What is to be said of a store that is lost is added to `lost`.

        Args:
            do: What is to be done.
            first_run: Whether the first run of a store takes `initialize-telemetry` at its word; what somebody decides
                is for the engines that they name alone.
            config: What was read before; without it the configuration is read.
        """
        config = self.config() if config is None else config
        try:
            with self.writing(first_run=first_run, config=config) as session:
                return do(session)
        except StoreDamaged:
            self.set_aside(config)
        with self.writing(first_run=first_run, config=config) as session:
            return do(session)

    def set_aside(self, config: Config) -> None:
        """Put a damaged store out of the way, where it is kept, and begin another one; where it is sound, nothing."""
        from telemetry_core.store import Store

        place = self._store(config)
        kept = Store.set_aside(place, self.host.clock.now(), markers=self.state_directory(config))
        if kept is not None:
            self._note_loss(place, f"was damaged and is kept as {kept}")

    @contextmanager
    def logging(self) -> Iterator[Config]:
        """The log as it is configured, for commands that send; a store that cannot be used or is lost stands in it.

        Gives the configuration, which is read once for such a command.

        Raises:
            ConfigurationError: Its target cannot be opened.
        """
        from telemetry_admin import logs
        from telemetry_core import log

        config = self.config()
        with logs.opened(config.log):
            try:
                yield config
            except StoreError as error:
                log.not_started(error)
                raise
            for lost in self.lost:
                log.not_started(lost)

    def _note_loss(self, place: Path | Url, what: str) -> None:
        self.lost.append(
            StoreLost(
                f"The store {place} {what}; a new one is in its place, and telemetry is not configured.",
                hint="Restore it from a backup, or decide anew with `telemetry enable` or `telemetry disable`.",
            )
        )


def for_each(engines: Iterable[Engine], do: Callable[[Engine], T]) -> tuple[list[T], list[TelemetryError]]:
    """Do something for each engine: what came of it, and what went wrong, which does not keep the others from it.

    Raises:
        StoreError: The store cannot be used.
    """
    done: list[T] = []
    failures: list[TelemetryError] = []
    for engine in engines:
        try:
            done.append(do(engine))
        except StoreError:
            raise  # that concerns all of them
        except TelemetryError as error:
            failures.append(error)
    return done, failures


def chosen(session: Session, names: list[str] | None, *, everything: bool) -> tuple[Engine, ...]:
    """The engines that `--engine` names; all of them without it, or with `--all`.

    Raises:
        UsageError: Both were given.
        UnknownEngine: A name that is not configured.
    """
    return session.engines(patterns(names, everything=everything))


def patterns(names: list[str] | None, *, everything: bool) -> tuple[str, ...]:
    """What `--engine` names; nothing stands for all.

    Raises:
        UsageError: `--all` was given too.
    """
    if names and everything:
        raise UsageError("--engine and --all exclude each other.", hint="Leave one of them out.")
    return tuple(names or ())


def selected(session: Session, names: list[str] | None, *, everything: bool) -> tuple[Engine, ...]:
    """The same for commands that make no sense without an engine.

    Raises:
        ConfigurationError: None is configured at all.
    """
    found = chosen(session, names, everything=everything)
    if not found:
        raise no_engine()
    return found


def no_engine() -> ConfigurationError:
    """The error of commands that make no sense without an engine."""
    return ConfigurationError(
        "No engine is configured.",
        hint='Write a table [engines.NAME] with rest = "http://127.0.0.1:8080/engine-rest" into the configuration.',
    )
