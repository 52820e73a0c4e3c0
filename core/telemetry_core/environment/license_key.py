"""The data point `license-key`: licence data without its signature, of the engine or set here."""

from collections.abc import Sequence

from telemetry_core import license as licenses
from telemetry_core.environment.points import DATABASE, REST, SET_HERE, Point, attribute
from telemetry_core.model import Finding, Found, License, Snapshot


def _text(value: object) -> object:
    """What tells two licences of an engine apart: a richer form of the same raw text is the same."""
    return value.raw.strip() if isinstance(value, License) and value.raw is not None else value


_find_in_engine = attribute("license_key", "license-key", "the engine has none", part=_text)


def _find(snapshots: Sequence[Snapshot]) -> Finding:
    """The engine's, or the one of `license set` instead (DESIGN §4); where they differ, both with their sources."""
    engine = _find_in_engine([snapshot for snapshot in snapshots if snapshot.source != licenses.SET_HERE])
    own = next((one.license_key for one in snapshots if one.source == licenses.SET_HERE and one.license_key), None)
    if own is None:
        return engine
    if not isinstance(engine, Found) or not isinstance(engine.value, License):
        return Found(own, licenses.SET_HERE)
    chosen, same = licenses.prefer(own, engine.value)
    if same:
        return engine if chosen is engine.value else Found(own, licenses.SET_HERE, engine.others)
    return Found(own, licenses.SET_HERE, others=(Found(engine.value, engine.source), *engine.others))


POINT = Point(
    name="license-key",
    category="license",
    type="object",
    sources=(REST, DATABASE, SET_HERE),
    example='{"customer":"customer name","type":"UNIFIED","valid-until":"2022-09-30","unlimited":false,'
    '"features":{"camundaBPM":"true"},"raw":"customer=customer name;expiryDate=2022-09-30;camundaBPM=true"}',
    why="To whom the product is licensed, until when and for what.",
    find=_find,
)
