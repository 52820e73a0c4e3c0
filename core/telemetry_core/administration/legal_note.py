"""The legal note that is shown before telemetry is enabled, and its digests, which the consent records."""

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

GERMAN = (
    "Rechtlicher Hinweis. Bevor Sie Telemetrie einschalten, vergewissern Sie sich, dass Sie dazu befugt sind und dass"
    " das Senden dieser Berichte keinen internen Richtlinien, Compliance-Vorgaben, Verträgen oder anderen"
    " Verpflichtungen Ihres Unternehmens widerspricht. Berichte gehen an die hier gezeigte Adresse und an niemanden"
    " sonst. Wer sie betreibt, erhält die Kennung der Installation, die pseudonym und nicht anonym ist, und kann einen"
    " Hash der IP-Adresse aufbewahren, von der ein Bericht kommt. Namen von Kommandos in einem Bericht können Namen"
    " Ihrer eigenen Klassen enthalten. Niemand haftet für Telemetrie, die unbefugt eingeschaltet wurde."
)

TEXTS = {"en": TEXT, "de": GERMAN}
"""By language."""

SHA256 = hashlib.sha256(TEXT.encode("utf-8")).hexdigest()


def sha256_of(language: str) -> str:
    """The digest of the note in a language."""
    return hashlib.sha256(TEXTS[language].encode("utf-8")).hexdigest()
