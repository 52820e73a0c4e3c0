"""What Kubernetes and Windows get: well-formed, on a volume, without rights, and at the installation's minute."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import replace
from typing import Any

import pytest
import yaml

from telemetry_core.schedule import Every, kubernetes, windows
from tests.core.schedule.jobs import JOB

NAMESPACE = {"task": "http://schemas.microsoft.com/windows/2004/02/mit/task"}


def documents(text: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all(text))


def pod(*, resident: bool) -> dict[str, Any]:
    claim, work = documents(kubernetes.manifests(replace(JOB, resident=resident), "the installation").text)
    assert (claim["kind"], claim["metadata"]["name"]) == ("PersistentVolumeClaim", "telemetry")
    spec = work["spec"] if resident else work["spec"]["jobTemplate"]["spec"]
    inner: dict[str, Any] = spec["template"]["spec"]
    return inner


def test_the_cron_job_runs_at_the_minute_and_second_of_the_installation() -> None:
    _, job = documents(kubernetes.manifests(JOB, "the installation").text)
    assert (job["apiVersion"], job["kind"]) == ("batch/v1", "CronJob")
    assert job["spec"]["schedule"] == "17 * * * *"
    assert job["spec"]["concurrencyPolicy"] == "Forbid"
    assert job["spec"]["jobTemplate"]["spec"]["backoffLimit"] == 0
    (container,) = pod(resident=False)["containers"]
    assert container["command"] == ["sh", "-c", "sleep 42; telemetry send || test $? = 7"]
    assert pod(resident=False)["restartPolicy"] == "Never"


def test_the_sidecar_runs_all_the_time_and_says_the_last_word_while_the_engine_stays() -> None:
    engine, sidecar = pod(resident=True)["containers"]
    assert sidecar["command"] == ["telemetry", "run"]
    assert sidecar["lifecycle"]["preStop"]["exec"]["command"] == ["telemetry", "send", "--final"]
    assert engine["lifecycle"]["preStop"]["exec"]["command"] == ["sleep", "15"]
    assert pod(resident=True)["terminationGracePeriodSeconds"] >= 30 + 15


@pytest.mark.parametrize("resident", [False, True])
def test_the_store_is_on_a_volume_and_the_container_has_no_rights(*, resident: bool) -> None:
    found = pod(resident=resident)
    container = found["containers"][-1]
    places = {mount["mountPath"]: mount["name"] for mount in container["volumeMounts"]}
    volumes = {volume["name"]: volume for volume in found["volumes"]}
    assert volumes[places["/var/lib/telemetry"]]["persistentVolumeClaim"] == {"claimName": "telemetry"}
    assert volumes[places["/etc/telemetry"]]["configMap"] == {"name": "telemetry"}
    security = container["securityContext"]
    assert security["runAsNonRoot"] is security["readOnlyRootFilesystem"] is True
    assert security["allowPrivilegeEscalation"] is False
    assert security["capabilities"] == {"drop": ["ALL"]}
    assert security["runAsGroup"] == found["securityContext"]["fsGroup"]
    assert found["enableServiceLinks"] is False


@pytest.mark.parametrize(
    ("every", "interval", "start"),
    [(Every.HOURLY, "PT1H", "T00:17:42"), (Every.DAILY, "P1D", "T05:17:42"), (Every.FIVE_MINUTES, "PT5M", "T00:02:42")],
)
def test_the_task_for_windows_starts_at_minute_and_second_and_comes_again(
    every: Every, interval: str, start: str
) -> None:
    job = replace(JOB, every=every, program=(r"C:\Tools & More\telemetry.exe", "--config", r"C:\My Files\t.toml"))
    root = ET.fromstring(windows.task(job, "this machine").text)
    texts = {one.tag.partition("}")[2]: one.text for one in root.iter()}
    assert root.tag == f"{{{NAMESPACE['task']}}}Task"
    assert texts["Interval"] == interval
    assert (texts["StartBoundary"] or "").endswith(start)
    assert texts["Command"] == r"C:\Tools & More\telemetry.exe"
    assert texts["Arguments"] == r'--config "C:\My Files\t.toml" send'


def test_shown_elsewhere_the_task_has_a_path_of_windows_and_says_that_it_is_not_tested() -> None:
    text = windows.task(JOB, "this machine").text
    assert r"<Command>C:\Program Files\telemetry\Scripts\telemetry.exe</Command>" in text
    assert "not tested on Windows" in text
    assert text.isascii()
    assert "encoding" not in text.splitlines()[0]
