"""The collector without a store: everything is as in the service, but the writer answers at once, and keeps nothing."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from telemetry_admin.__main__ import main
from telemetry_collector import judging, server
from telemetry_collector.judging import Known
from telemetry_collector.model import Submission, Verdict
from telemetry_collector.writer import Writer


class Nothing(Writer):
    """It has a thread, as the other has; reports do not come to it."""

    async def commit(self, submissions: Sequence[Submission]) -> list[Verdict]:
        """The verdict on reports that nothing is known of."""
        return judging.judge_all(submissions, Known([], 1))


if __name__ == "__main__":
    server.Writer = Nothing  # type: ignore[attr-defined]  # that is what this is for
    sys.exit(main())
