"""What is read of earlier reports so that those without a key can be told apart: bounded, whatever is held."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from telemetry_collector.judging import COMPARED, comparable
from telemetry_collector.model import Held, State, Submission
from telemetry_collector.report import DECODER
from telemetry_collector.store.bodies import Bodies
from telemetry_collector.store.hashes import Hashes

EVIDENCE_BYTES = 8 * 1024 * 1024
"""Of bodies that one commit reads."""

FEW = 64
"""Bodies that cannot be more than that, however large each is."""

_AT_ONCE = 500
_RANKS = (slice(-1, None), slice(-2, -1), slice(-COMPARED, -2))
"""The newest of each window, then the one before it, then all others that are compared: an engine has one or two."""


class Evidence:
    """Reads it of one database."""

    def __init__(self, bodies: Bodies, hashes: Hashes) -> None:
        self._bodies = bodies
        self._hashes = hashes

    def beside(self, held: list[Held], submissions: Sequence[Submission]) -> list[Held]:
        """What is held that matters, with hashes and counts where reports without a key need them."""
        without = [one for one in submissions if not one.keyed]
        candidates = [one for one in held if not one.keyed] if without else []
        if not candidates:
            return held
        periods = {one.period for submission in without for one in submission.hashes}
        of_window: dict[tuple[str, str], list[Held]] = {}
        for one in candidates:
            if one.window and one.state is State.COUNTED:
                of_window.setdefault((one.installation, one.window), []).append(one)
        hashes: dict[int, str] = {}
        for start in range(0, len(candidates), _AT_ONCE):
            hashes |= self._hashes.of([one.number for one in candidates[start : start + _AT_ONCE]], periods)
        counts = dict(self._counts(list(of_window.values())))
        return [
            msgspec.structs.replace(one, hash=hashes.get(one.number, ""), counts=counts.get(one.number)) for one in held
        ]

    def _counts(self, windows: Sequence[Sequence[Held]]) -> Iterator[tuple[int, Mapping[str, int] | None]]:
        """The counts of the newest of some windows, by number.

        Where all of them could be too much together, those are left out that are larger than an even share of what may
        still be read; of each rank but the last, half of that. So nobody's windows take the place of another's.
        """
        left = EVIDENCE_BYTES
        are_few = sum(len(some[-COMPARED:]) for some in windows) <= FEW
        ranks = (slice(-COMPARED, None),) if are_few else _RANKS
        for rank in ranks:
            wanted = [(one.number, one.received_at) for some in windows for one in some[rank]]
            if not wanted:
                continue
            most = (left if rank is ranks[-1] else left // 2) // len(wanted)
            for number, body in self._bodies.of(wanted, most).items():
                left -= len(body)
                yield number, comparable(DECODER.decode(body).counts)
