"""Servers, engines and JDKs by their files: what is found, and the reason where something is not as it should be."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from telemetry_core.hostfiles import Library, Unread, is_this_host, look, read_release, servers
from telemetry_core.model import Software

MANIFEST = {"META-INF/MANIFEST.MF": "Manifest-Version: 1.0\r\nImplementation-Version: 7.14.0-ee\r\n"}
PROPERTIES = {"org/camunda/bpm/engine/product-info.properties": "camunda.version=7.24.0\n"}


def archive(files: Mapping[str, str | bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as opened:
        for name, content in files.items():
            opened.writestr(name, content)
    return packed.getvalue()


def write(home: Path, files: Mapping[str, str | bytes]) -> Path:
    for name, content in files.items():
        path = home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return home


def tomcat(version: str) -> bytes:
    return archive({"org/apache/catalina/util/ServerInfo.properties": f"# x\nserver.info=Apache Tomcat/{version}\n"})


@pytest.mark.parametrize(
    ("server_info", "vendor"),
    [
        ("Apache Tomcat/9.0.36", "Apache Tomcat"),
        ("WildFly Full 19.0.0.Final (WildFly Core 11.0.0.Final) - 2.0.30.Final", "WildFly"),
        ("IBM WebSphere Application Server/8.5", "IBM WebSphere Application Server"),
        ("WebLogic Server 12.2.1.0.0 Tue Oct 6 10:05:47 PDT 2015 1721936 WebLogic JAX-RS", "WebLogic Server"),
        ("JBoss EAP 7.2.0.GA (WildFly Core 6.0.11.Final-redhat-00001) - 2.0.15.Final-redhat-00001", "JBoss EAP"),
        ("/9", ""),
    ],
)
def test_the_vendor_of_a_server_follows_the_engines_own_rule(server_info: str, vendor: str) -> None:
    assert servers.vendor_of(server_info) == vendor


def test_a_shared_engine_on_tomcat_is_found_in_its_lib(tmp_path: Path) -> None:
    jar = archive(PROPERTIES)
    found = look(write(tmp_path, {"lib/catalina.jar": tomcat("9.0.98"), "lib/camunda-engine-1.jar": jar}))
    assert (found.server, found.engine, found.integrations) == (
        "Apache Tomcat/9.0.98",
        Library("camunda-engine", "7.24.0"),
        (),
    )
    assert found.problems == {}


def test_the_manifest_says_the_version_of_7_14_and_the_name_where_neither_does(tmp_path: Path) -> None:
    assert look(write(tmp_path / "a", {"lib/camunda-engine-7.14.0.jar": archive(MANIFEST)})).engine == Library(
        "camunda-engine", "7.14.0-ee"
    )
    assert look(write(tmp_path / "b", {"lib/cibseven-engine-2.0.0.jar": archive({})})).engine == Library(
        "cibseven-engine", "2.0.0"
    )


def test_an_engine_in_a_web_application_is_found_packed_or_not(tmp_path: Path) -> None:
    war = archive({"WEB-INF/lib/operaton-engine-1.0.3.jar": archive({})})
    packed = look(write(tmp_path / "a", {"webapps/orders.war": war}))
    assert packed.engine == Library("operaton-engine", "1.0.3")
    unpacked = look(write(tmp_path / "b", {"webapps/orders/WEB-INF/lib/operaton-engine-1.0.3.jar": archive({})}))
    assert unpacked.engine == packed.engine


def boot(*jars: str) -> bytes:
    return archive({f"BOOT-INF/lib/{name}": archive({}) for name in jars})


def test_a_spring_boot_jar_and_run_tell_server_engine_and_integration(tmp_path: Path) -> None:
    jars = ("tomcat-embed-core-9.0.46.jar", "camunda-engine-7.17.0.jar", "camunda-bpm-spring-boot-starter-7.17.0.jar")
    jar = write(tmp_path, {"app.jar": boot(*jars)}) / "app.jar"
    found = look(jar)
    assert (found.server, found.engine) == ("Apache Tomcat/9.0.46", Library("camunda-engine", "7.17.0"))
    assert found.integrations == ("spring-boot-starter",)
    home = write(tmp_path / "run", {"internal/camunda-bpm-run-core.jar": boot(*jars), "internal/run.sh": ""})
    assert look(home).integrations == ("bpm-run", "spring-boot-starter")
    assert look(home / "internal" / "camunda-bpm-run-core.jar").integrations == ("bpm-run", "spring-boot-starter")
    assert look(home).server == "Apache Tomcat/9.0.46"


def test_an_embedded_server_whose_words_are_not_known_is_missing(tmp_path: Path) -> None:
    jar = write(tmp_path, {"app.jar": boot("undertow-core-2.2.jar", "camunda-engine-7.17.0.jar")}) / "app.jar"
    assert look(jar).problems == {"application-server": f"{jar} has no embedded Tomcat"}
    assert look(jar).integrations == ()


def test_the_subsystem_of_wildfly_is_its_integration(tmp_path: Path) -> None:
    modules = "modules/org/camunda/bpm"
    home = write(
        tmp_path,
        {
            f"{modules}/camunda-engine/main/camunda-engine-7.20.0.jar": archive({}),
            f"{modules}/wildfly/camunda-wildfly-subsystem/main/module.xml": "",
        },
    )
    assert look(home).integrations == ("wildfly-subsystem",)


def test_websphere_and_weblogic_are_known_by_their_version_files(tmp_path: Path) -> None:
    websphere = write(tmp_path / "a", {"properties/version/WAS.product": "<product><version>8.5.5.14</version>"})
    assert look(websphere).server == "IBM WebSphere Application Server/8.5"
    registry = '<distribution status="installed" name="WebLogic Server" version="12.2.1.4.0">'
    assert look(write(tmp_path / "b", {"inventory/registry.xml": registry})).server == "WebLogic Server 12.2.1.4.0"


def test_several_engines_in_one_place_are_named_and_none_is_chosen(tmp_path: Path) -> None:
    jars = {f"lib/camunda-engine-{version}.jar": archive({}) for version in ("7.17.0", "7.24.0")}
    found = look(write(tmp_path, jars))
    assert found.engine is None
    assert found.problems["product"] == f"{tmp_path} has several engines: camunda-engine 7.17.0, camunda-engine 7.24.0"


def test_a_jar_that_is_no_zip_is_a_reason_for_what_it_would_have_told_alone(tmp_path: Path) -> None:
    home = write(tmp_path, {"lib/catalina.jar": tomcat("9.0.98"), "lib/camunda-engine-7.17.0.jar": "no zip"})
    found = look(home)
    assert found.server == "Apache Tomcat/9.0.98"
    assert found.problems["product"] == f"{home}/lib/camunda-engine-7.17.0.jar is no archive that can be read"
    broken = look(write(tmp_path / "b", {"lib/catalina.jar": b"PK\x03\x04", "webapps/x.war": b"\x00"}))
    assert broken.problems.keys() == {"application-server", "product", "integration"}


def test_a_bomb_is_read_up_to_the_limit_only(tmp_path: Path) -> None:
    bomb = archive({"org/apache/catalina/util/ServerInfo.properties": b"0" * 100_000_000})
    assert (
        "larger than a version file" in look(write(tmp_path, {"lib/catalina.jar": bomb})).problems["application-server"]
    )


@pytest.mark.parametrize("home", ["nowhere", "loop"])
def test_a_home_that_is_not_there_has_reasons_for_everything(home: str, tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    found = look(tmp_path / home)
    assert (found.server, found.engine, found.integrations) == (None, None, None)
    assert found.problems.keys() == {"application-server", "product", "integration"}


def test_the_release_file_of_a_jdk_says_vendor_and_version(tmp_path: Path) -> None:
    write(tmp_path, {"release": 'IMPLEMENTOR="Azul Systems, Inc."\nJAVA_VERSION="17.0.9"\nSOURCE=".:git:x"\n'})
    assert read_release(tmp_path) == Software("Azul Systems, Inc.", "17.0.9")
    write(tmp_path, {"release": 'JAVA_VERSION="1.8.0_392"\n', "jre/bin/java": ""})
    assert read_release(tmp_path / "jre") == Software(None, "1.8.0_392")


@pytest.mark.parametrize("content", [None, "", b"\xff\xfe\x00", "x" * 300_000, "JAVA_VERSION=\n"])
def test_a_directory_without_a_release_file_that_says_a_version_is_a_reason(
    content: str | bytes | None, tmp_path: Path
) -> None:
    if content is not None:
        write(tmp_path, {"release": content})
    with pytest.raises(Unread) as raised:
        read_release(tmp_path)
    assert str(tmp_path / "release") in str(raised.value)


def test_a_pipe_in_the_place_of_a_file_holds_nobody_up(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "release")
    with pytest.raises(Unread):
        read_release(tmp_path)


def test_only_the_loopback_is_this_host_and_no_name_is_looked_up() -> None:
    assert [is_this_host(one) for one in ("127.0.0.1", "127.9.9.9", "::1", "LOCALHOST")] == [True] * 4
    assert [is_this_host(one) for one in ("10.0.0.1", "orders.example", "")] == [False] * 3


def test_what_opens_archives_is_loaded_only_where_this_host_is_looked_at() -> None:
    code = "import sys; from telemetry_core import reporting; sys.exit('telemetry_core.hostfiles' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
