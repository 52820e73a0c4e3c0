"""The one tree of errors: each has a stable code, an exit status and, where there is one, a next step."""

from __future__ import annotations

from typing import ClassVar


class TelemetryError(Exception):
    """Anything that this product reports as a failure; never raised itself.

    Attributes:
        code: Stable name of the kind of failure, the same in every release.
        exit_status: What the command line ends with (DESIGN §2).
        message: One sentence that says what is wrong.
        hint: One sentence that says what to do next; may be empty.
    """

    code: ClassVar[str] = "bug"
    exit_status: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(TelemetryError):
    """The command line does not say what it must."""

    code = "usage"
    exit_status = 2


class UnknownEngine(UsageError):
    """A name that no configured engine has."""

    code = "unknown-engine"


class UnknownReport(UsageError):
    """An id that no report in the history has."""

    code = "unknown-report"


class LicenseRefused(UsageError):
    """A licence text that is none, or of which nobody can say what is its signature; the message never repeats it."""

    code = "license-refused"


class ConfigurationError(TelemetryError):
    """A setting is missing, misspelt or of the wrong type."""

    code = "configuration"
    exit_status = 3


class EndpointMissing(ConfigurationError):
    """Something should be sent and no endpoint says where to."""

    code = "endpoint-missing"


class SecretExposed(ConfigurationError):
    """A file with a secret can be read by others, or a secret stands where it is shown."""

    code = "secret-exposed"


class NotSchedulable(ConfigurationError):
    """This host, or this user on it, cannot take a schedule."""

    code = "not-schedulable"


class NotPermitted(TelemetryError):
    """An explicit command asks for what the consent of now does not allow."""

    code = "not-permitted"
    exit_status = 4


class DecidedMeanwhile(NotPermitted):
    """Somebody has enabled or disabled telemetry since what is to be decided was shown; nothing was changed."""

    code = "decided-meanwhile"


class EngineError(TelemetryError):
    """The engine gives no answer that a report could be made from."""

    code = "engine"
    exit_status = 5


class EngineUnreachable(EngineError):
    """No answer from the engine's address in time."""

    code = "engine-unreachable"


class EngineRefused(EngineError):
    """The engine answers 401 or 403."""

    code = "engine-refused"


class NotAnEngine(EngineError):
    """Something answers, but not as an engine of the family does."""

    code = "not-an-engine"


class NothingThere(NotAnEngine):
    """The address answers 404."""

    code = "nothing-there"


class EngineNameUnknown(EngineError):
    """The REST API has no process engine of the configured name."""

    code = "engine-name-unknown"


class ApplicationServerUnknown(EngineError):
    """The engine cannot say what it is, because no application server is registered with it."""

    code = "application-server-unknown"


class InstallationUnknown(EngineError):
    """The engine does not say its installation id, and the configuration does not either."""

    code = "installation-unknown"


class DeliveryFailed(TelemetryError):
    """A report was not accepted; it is kept."""

    code = "delivery-failed"
    exit_status = 6


class AlreadySending(TelemetryError):
    """Another process holds the lock of those who send."""

    code = "already-sending"
    exit_status = 7


class StoreError(TelemetryError):
    """The store cannot be used."""

    code = "store"
    exit_status = 8


class StoreDamaged(StoreError):
    """What the store holds is not what was written to it."""

    code = "store-damaged"


class StoreLost(StoreError):
    """The store is gone, or was set aside because it is damaged; an empty one is in its place."""

    code = "store-lost"


class StoreUnavailable(StoreError):
    """The store cannot be opened, read or written by this user."""

    code = "store-unavailable"


class StoreForeign(StoreError):
    """It is a store of telemetry, but of its other program: the reporter's, or that of the receiving service."""

    code = "store-foreign"


class StoreTooNew(StoreError):
    """A newer release of the program has written this store."""

    code = "store-too-new"


#: Several engines fail in one command: the first of these that occurred is the exit status (DESIGN §2).
PRECEDENCE = (8, 3, 5, 6, 4)


def first_by_precedence(failures: list[TelemetryError]) -> TelemetryError:
    """The failure that decides the exit status of a command over several engines; `failures` is not empty."""
    rank = {status: position for position, status in enumerate(PRECEDENCE)}
    return min(failures, key=lambda failure: rank.get(failure.exit_status, -1))


def all_errors() -> tuple[type[TelemetryError], ...]:
    """Every class of the tree, parents before children, for the documentation and its test."""
    found: list[type[TelemetryError]] = []
    waiting: list[type[TelemetryError]] = [TelemetryError]
    while waiting:
        kind = waiting.pop(0)
        found.append(kind)
        waiting.extend(kind.__subclasses__())
    return tuple(found)
