"""The engine releases that tests run, as data: what Maven needs to build each, and what each can do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType


@dataclass(frozen=True, kw_only=True)
class Release:
    """One engine release.

    ``product`` is ``camunda`` or ``operaton``: it names packages, configuration keys and the path of the webapps.
    ``reports`` says that the engine sends telemetry by itself (7.14 to 7.21), so it is never started without an
    endpoint on loopback. ``telemetry_data`` says that ``GET /telemetry/data`` exists (from 7.17 on), ``license_key``
    that the engine keeps a licence key. ``project`` is the folder of its Maven project.
    """

    product: str
    version: str
    boot: str
    java_level: int = 17
    reports: bool = False
    telemetry_data: bool = True
    license_key: bool = True
    project: str = field(default=".", repr=False)

    @property
    def name(self) -> str:
        """The name used on the command line and for the folder of the build, such as ``camunda-7.24.0``."""
        return f"{self.product}-{self.version}"

    def maven_properties(self) -> dict[str, str]:
        """What ``pom.xml`` leaves open."""
        return {
            "product": self.product,
            "engine.version": self.version,
            "boot.version": self.boot,
            "java.level": str(self.java_level),
        }


_ALL = (
    # Spring Boot 2.3 cannot read classes newer than Java 15's.
    Release(
        product="camunda",
        version="7.14.0",
        boot="2.3.12.RELEASE",
        java_level=11,
        reports=True,
        telemetry_data=False,
    ),
    Release(product="camunda", version="7.17.0", boot="2.6.15", reports=True),
    Release(product="camunda", version="7.21.0", boot="3.2.12", reports=True),
    Release(product="camunda", version="7.22.0", boot="3.3.13"),
    Release(product="camunda", version="7.24.0", boot="3.5.6"),
    Release(product="operaton", version="1.0.3", boot="3.5.6", license_key=False),
)

RELEASES: Mapping[str, Release] = MappingProxyType({release.name: release for release in _ALL})
"""Every release by its name, oldest first."""

CIBSEVEN = Release(product="cibseven", version="2.0.0", boot="3.5.6", project="standalone")
"""It has no REST API, so that it is started by ``StandaloneEngine`` and stands beside the others."""
