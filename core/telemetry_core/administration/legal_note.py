"""The legal note that is shown before telemetry is enabled, and its digest, which the consent records."""

from __future__ import annotations

import hashlib

TEXT = (
    "Legal note. Before you enable telemetry, make sure that you are authorized to do so, and that sending these"
    " reports does not conflict with internal policies, compliance guidelines, contracts or other obligations of"
    " your company. Reports go to the endpoint shown here and to nobody else. Whoever runs it receives the"
    " installation id, which is pseudonymous and not anonymous, and may keep a hash of the IP address from which a"
    " report comes. Command names in a report can include names of your own classes. Nobody can be held"
    " responsible for telemetry that was enabled without authorization."
)

SHA256 = hashlib.sha256(TEXT.encode("utf-8")).hexdigest()
