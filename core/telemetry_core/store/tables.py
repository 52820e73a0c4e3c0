"""The small tables: properties, the consent's history, contacts with engines, and the ledgers of installations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telemetry_core.model import Contact, Decision, KeptLicense
from telemetry_core.store import rows
from telemetry_core.store.database import Database

if TYPE_CHECKING:
    from telemetry_core.model import Ledger

_CONSENT_END = "consent-end"
_LICENSE = "license"


class Properties:
    """Single values; `scope` is an installation, an engine's entry, or empty for the store itself."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, scope: str, name: str) -> str | None:
        """A value, None where it was never set."""
        found = self._database.read("SELECT value, digest FROM property WHERE scope = ? AND name = ?", (scope, name))
        if not found:
            return None
        value, digest = found[0]
        rows.check(digest, f"property {name}", scope, name, value)
        return str(value)

    def put(self, scope: str, name: str, value: str) -> None:
        """Set a value."""
        self._database.change(
            "INSERT INTO property (scope, name, value, digest) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (scope, name) DO UPDATE SET value = excluded.value, digest = excluded.digest",
            (scope, name, value, rows.digest(scope, name, value)),
        )

    def verify(self) -> None:
        """Check every value.

        Raises:
            StoreDamaged: One is not as it was written.
        """
        for scope, name in self._database.read("SELECT scope, name FROM property"):
            self.get(str(scope), str(name))

    def remove(self, scope: str, name: str) -> None:
        """Forget a value."""
        self._database.change("DELETE FROM property WHERE scope = ? AND name = ?", (scope, name))


class Licenses:
    """The licence that was set for each installation, kept as a property; whoever calls has cut its signature."""

    def __init__(self, database: Database) -> None:
        self._properties = Properties(database)

    def get(self, installation: str) -> KeptLicense | None:
        """The licence of an installation, None where none was set.

        Raises:
            StoreDamaged: It is not as it was written.
        """
        text = self._properties.get(installation, _LICENSE)
        return None if text is None else rows.from_text(text, KeptLicense, f"licence of {installation}")

    def put(self, installation: str, kept: KeptLicense) -> None:
        """Keep a licence instead of the one before."""
        self._properties.put(installation, _LICENSE, rows.to_text(kept))

    def remove(self, installation: str) -> None:
        """Forget it."""
        self._properties.remove(installation, _LICENSE)


class Consents:
    """Every decision ever made, oldest first; a chain of digests, so that none is changed or taken out unseen.

    A property has the digest at the chain's end: otherwise the last decision, which counts most, could vanish.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._properties = Properties(database)

    def append(self, decision: Decision) -> None:
        """Add a decision."""
        with self._database.transaction():
            last = self._database.read("SELECT number, digest FROM consent ORDER BY number DESC LIMIT 1")
            number, before = (int(str(last[0][0])) + 1, str(last[0][1])) if last else (1, "")
            text = rows.to_text(decision)
            digest = rows.digest(before, number, decision.engine, text)
            self._database.change(
                "INSERT INTO consent (number, engine, decision, digest) VALUES (?, ?, ?, ?)",
                (number, decision.engine, text, digest),
            )
            self._properties.put("", _CONSENT_END, digest)

    def history(self) -> list[Decision]:
        """All decisions for all engines, each checked against the chain.

        Raises:
            StoreDamaged: One is not as it was written, or one is gone.
        """
        decisions = []
        before = end = ""
        query = (  # one statement, so that no decision of another process comes in between
            "SELECT 0 AS number, scope AS engine, value AS decision, digest FROM property"
            " WHERE scope = '' AND name = ? UNION ALL"
            " SELECT number, engine, decision, digest FROM consent ORDER BY number"
        )
        found = self._database.read(query, (_CONSENT_END,))
        if found and found[0][0] == 0:
            end = str(found.pop(0)[2])
        for expected, (number, engine, text, digest) in enumerate(found, 1):
            where = f"decision {number} of the consent's history"
            if number != expected:
                raise rows.damaged(where)
            rows.check(digest, where, before, number, engine, text)
            before = str(digest)
            decisions.append(rows.from_text(text, Decision, where))
        if before != end:
            raise rows.damaged("the end of the consent's history")
        return decisions


class Contacts:
    """What the last contact with each engine found."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, engine: str) -> Contact | None:
        """The last contact with an engine, None before the first."""
        found = self._database.read("SELECT contact FROM contact WHERE engine = ?", (engine,))
        return rows.from_text(found[0][0], Contact, f"contact with {engine}") if found else None

    def verify(self) -> None:
        """Check every contact.

        Raises:
            StoreDamaged: One does not read.
        """
        for (engine,) in self._database.read("SELECT engine FROM contact"):
            self.get(str(engine))

    def put(self, contact: Contact) -> None:
        """Remember a contact instead of the one before."""
        self._database.change(
            "INSERT INTO contact (engine, contact) VALUES (?, ?)"
            " ON CONFLICT (engine) DO UPDATE SET contact = excluded.contact",
            (contact.engine, rows.to_text(contact)),
        )


class Ledgers:
    """The ledger of each installation."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, installation: str) -> Ledger | None:
        """The ledger of an installation, None where none was begun."""
        from telemetry_core.model import Ledger

        found = self._database.read("SELECT ledger, digest FROM base WHERE installation = ?", (installation,))
        if not found:
            return None
        text, digest = found[0]
        rows.check(digest, f"base of {installation}", installation, text)
        return rows.from_text(text, Ledger, f"base of {installation}")

    def put(self, ledger: Ledger) -> None:
        """Write a ledger whole."""
        text = rows.to_text(ledger)
        self._database.change(
            "INSERT INTO base (installation, ledger, digest) VALUES (?, ?, ?)"
            " ON CONFLICT (installation) DO UPDATE SET ledger = excluded.ledger, digest = excluded.digest",
            (ledger.installation, text, rows.digest(ledger.installation, text)),
        )

    def verify(self) -> None:
        """Check every ledger.

        Raises:
            StoreDamaged: One is not as it was written.
        """
        for (installation,) in self._database.read("SELECT installation FROM base"):
            self.get(str(installation))

    def remove(self, installation: str) -> None:
        """Forget base and counts of an installation."""
        self._database.change("DELETE FROM base WHERE installation = ?", (installation,))
