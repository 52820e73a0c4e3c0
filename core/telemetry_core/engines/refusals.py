"""What an engine's refusal means, and what its administrator can do about it (facts §1.6, §4.2, §4.3)."""

from __future__ import annotations

import msgspec

from telemetry_core.config import Engine
from telemetry_core.engines.answers import Refusal
from telemetry_core.errors import ApplicationServerUnknown, EngineError, EngineRefused, NothingThere
from telemetry_core.http import Answer


def explain(engine: Engine, answer: Answer, source: str) -> EngineError:
    """The error for an answer that is not 200.

    Args:
        engine: Whose answer it is.
        answer: With its status and body.
        source: The address that was asked.
    """
    entry = engine.entry
    if answer.status == 401:
        return EngineRefused(
            f"Engine {entry} does not let us in (401): {_who(engine)}.",
            hint=f"Set engines.{entry}.username and engines.{entry}.password-file, or engines.{entry}.token-file.",
        )
    if answer.status == 403:
        return EngineRefused(
            f"Engine {entry} refuses this user (403).",
            hint="Give it READ on resource System (type 21, id *), or membership in the administrators' group.",
        )
    if answer.status == 404:
        return NothingThere(
            f"There is no {source} (404).", hint="Check that the address ends with the REST API's path, /engine-rest."
        )
    refusal = _refusal(answer)
    if answer.status == 500 and source.endswith("/telemetry/data") and refusal.type == "NullPointerException":
        return ApplicationServerUnknown(
            f"Engine {entry} cannot say what it is (500): no application server is registered with it.",
            hint="Engines embedded without the official REST application, as in Quarkus, do this; see the user guide.",
        )
    said = f": {refusal.message}" if refusal.message else ""
    return EngineError(
        f"{source} answers {answer.status}{said}".rstrip(".") + ".", hint="The engine's own log says why."
    )


def _who(engine: Engine) -> str:
    if engine.token_file is not None:
        return "it does not accept the token"
    known = engine.username is not None or any(address.username for address in engine.addresses)
    return "it does not accept user and password" if known else "it wants a user and password"


def _refusal(answer: Answer) -> Refusal:
    try:
        found = msgspec.json.decode(answer.body, type=Refusal)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return Refusal()
    return Refusal(found.type, " ".join((found.message or "").split())[:300])
