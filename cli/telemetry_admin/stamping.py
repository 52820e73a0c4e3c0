"""What a plain `send` leaves for the next one: the stamp that says until when nothing is due (see `glance`)."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from telemetry_admin import glance
from telemetry_core import paths, stamp
from telemetry_core.errors import StoreError

if TYPE_CHECKING:
    from telemetry_admin.invocation import Invocation
    from telemetry_core.reporting import Session


class Stamping:
    """The configuration's files as they are before they are read; make it before that, and leave the stamp at the end.

    So a change that comes in between makes a stamp that does not hold, and none that hides it.
    """

    def __init__(self, invocation: Invocation) -> None:
        self._invocation = invocation
        self._files: dict[Path, str] | None = None
        if invocation.explicit_config is None:  # a plain `send` has no option
            with suppress(OSError):  # whoever reads them says what is wrong
                self._files = _configuration(invocation)

    def leave(self, session: Session) -> None:
        """Leave the stamp where nothing is due for a while; where none can be left, the next `send` looks for itself.

        No transaction may be open in the session.
        """
        environment = self._invocation.host.environment
        place, told = glance.stamp_place(environment), glance.surroundings(environment)
        if place is None or told is None or self._files is None:
            return
        written_at = session.clock.now()
        if not all(stamp.has_settled(then, written_at) for then in self._files.values()):
            return
        from telemetry_core.reporting import idle_until

        with suppress(OSError, StoreError):  # what was to be done is done
            watched = [("file", then, str(path)) for path, then in self._files.items()]
            watched += self._of_store(session)
            not_before = idle_until(session)
            if not_before > written_at:
                stamp.leave(place, told, written_at=written_at, not_before=not_before, watched=watched)

    def _of_store(self, session: Session) -> list[tuple[str, str, str]]:
        from telemetry_core.store.marker import Marker

        place = session.store.place
        marker = Marker.of(place, self._invocation.state_directory(session.config)).path
        watched = [] if marker is None else [("file", stamp.identity(str(marker)), str(marker))]
        if isinstance(place, Path):
            watched.append(("store", stamp.identity(str(place), is_store=True), str(place)))
        return watched


def _configuration(invocation: Invocation) -> dict[Path, str]:
    """What could say another thing than it does now, each looked at before what it lists.

    Of the system's places only that they are not there: as soon as one is, a user's own do not count any more.
    """
    found = {path: stamp.identity(str(path)) for path in (paths.SYSTEM_CONFIG, paths.SYSTEM_STATE)}
    found = {path: then for path, then in found.items() if then == stamp.ABSENT}
    found[paths.SYSTEM_POLICY] = stamp.identity(str(paths.SYSTEM_POLICY))
    for path in invocation.layers.files:
        directory = paths.drop_in_directory(path)
        found |= {one: stamp.identity(str(one)) for one in (path, directory)}
        found |= {one: stamp.identity(str(one)) for one in directory.glob("*.toml")}
    return found
