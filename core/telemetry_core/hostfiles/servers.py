"""What servers call themselves, by the version files in their homes (facts §6.1, §8.7)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from telemetry_core.hostfiles import reading
from telemetry_core.hostfiles.libraries import Library, version_of
from telemetry_core.hostfiles.reading import Unread

_BASE = Path("modules/system/layers/base")
_MANIFEST = "META-INF/MANIFEST.MF"


def vendor_of(server_info: str) -> str:
    """The engine's rule: the first run of letters and white space; one with `WildFly` is exactly that (facts §6.1)."""
    match = re.search(r"[A-Za-z\s]+", server_info)
    words = match[0].strip() if match is not None else ""
    return "WildFly" if "WildFly" in words else words


def installed(home: Path) -> str:
    """What the server of a directory says of itself.

    Raises:
        Unread: It is none of the known ones, or its version files cannot be read.
    """
    for sign, read in _SERVERS:
        if (home / sign).exists():
            return read(home)
    raise Unread(f"{home} has no version file of Tomcat, WildFly, WebSphere or WebLogic")


def embedded(libraries: Sequence[Library], jar: str) -> str:
    """What the server within a Spring Boot jar says of itself; only Tomcat's words are known.

    Raises:
        Unread: There is no Tomcat in it.
    """
    version = version_of(libraries, "tomcat-embed-core")
    if version is None:
        raise Unread(f"{jar} has no embedded Tomcat")
    return f"Apache Tomcat/{version}"


def _tomcat(home: Path) -> str:
    jar = home / "lib" / "catalina.jar"
    with reading.archive(jar, str(jar)) as opened:
        content = reading.entry(opened, "org/apache/catalina/util/ServerInfo.properties")
    found = reading.property_of(content or "", "server.info")
    if found is None:
        raise Unread(f"{jar} says no server.info")
    return found


def _wildfly(home: Path) -> str:
    """`WildFly Full 26.1.3.Final (WildFly Core 18.1.2.Final) - 2.2.19.Final`: product, core and Undertow."""
    slot = "main"
    configured = home / "bin" / "product.conf"
    if configured.is_file():
        slot = reading.property_of(reading.text(configured), "slot") or slot
    products = home / _BASE / "org" / "jboss" / "as" / "product"
    if slot not in reading.names(products):
        raise Unread(f"{products} has no product {slot!r}")
    manifest = reading.text(products / slot / "dir" / _MANIFEST)
    name = reading.property_of(manifest, "JBoss-Product-Release-Name")
    version = reading.property_of(manifest, "JBoss-Product-Release-Version")
    core = _module(home, "org/jboss/as/version", "wildfly-version")
    undertow = _module(home, "io/undertow/core", "undertow-core")
    return f"{name} {version} (WildFly Core {core}) - {undertow}"


def _module(home: Path, module: str, artifact: str) -> str:
    directory = home / _BASE / module / "main"
    for name in reading.names(directory):
        if name.startswith(f"{artifact}-") and name.endswith(".jar"):
            return name.removeprefix(f"{artifact}-").removesuffix(".jar")
    raise Unread(f"{directory} has no {artifact}")


def _websphere(home: Path) -> str:
    """Of the version the two numbers that the server itself says; made after documentation, not tried on a real one."""
    file = home / "properties" / "version" / "WAS.product"
    match = re.search(r"<version>\s*(\d+\.\d+)", reading.text(file))
    if match is None:
        raise Unread(f"{file} says no version")
    return f"IBM WebSphere Application Server/{match[1]}"


def _weblogic(home: Path) -> str:
    """Without the date and the build that the server itself adds; made after documentation, not tried on a real one."""
    file = home / "inventory" / "registry.xml"
    match = re.search(r'name="WebLogic Server"[^>]{0,500}?version="([0-9.]{1,40})"', reading.text(file))
    if match is None:
        raise Unread(f"{file} says no version of WebLogic Server")
    return f"WebLogic Server {match[1]}"


#: A file or directory that tells a server from others, and who reads its version.
_SERVERS = (
    ("lib/catalina.jar", _tomcat),
    (str(_BASE / "org" / "jboss" / "as"), _wildfly),
    ("properties/version/WAS.product", _websphere),
    ("inventory/registry.xml", _weblogic),
)
