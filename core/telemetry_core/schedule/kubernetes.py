"""Manifests for Kubernetes: a CronJob with its volume, or a sidecar that says the last word before the engine stops."""

from __future__ import annotations

import json

from telemetry_core import VERSION
from telemetry_core.schedule import cron
from telemetry_core.schedule.job import Job, Part

_IMAGE = f"registry.example.com/telemetry:{VERSION}"
_HEAD = """\
# Printed by `telemetry schedule show kubernetes{options}`; not tested on a cluster.
# Yours to change: {yours}the image, the storage, and the configuration, which is read from a ConfigMap:
#   kubectl create configmap telemetry --from-file=telemetry.toml
# Passwords come as variables from a Secret (such as TELEMETRY_ENGINES__ORDERS__REST, with user and password in the
# URL): the files of a Secret can be read by a group, and are refused.
# Then: kubectl apply {how}-f FILE
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: telemetry
spec:
  accessModes: [ReadWriteOnce]
  resources:
    requests:
      storage: 100Mi
---
"""
_CRON_JOB = """\
apiVersion: batch/v1
kind: CronJob
metadata:
  name: telemetry
spec:
  # Minute and second come from {origin}, so that not all clusters send at once.
  schedule: {times}
  concurrencyPolicy: Forbid
  startingDeadlineSeconds: 240
  successfulJobsHistoryLimit: 1
  failedJobsHistoryLimit: 1
  jobTemplate:
    spec:
      backoffLimit: 0 # the next run tries again when it is time
      activeDeadlineSeconds: 900
      template:
        spec:
          restartPolicy: Never
          automountServiceAccountToken: false
          enableServiceLinks: false # a service of the same name would set variables that look like settings
          securityContext:
            fsGroup: 10001
          containers:
{container}
          volumes:
{volumes}
"""
_SIDECAR = """\
# What is added to the Deployment of an engine. With more than one pod, also while one takes the place of another: let
# them share a store on PostgreSQL, or take the CronJob instead.
apiVersion: apps/v1
kind: Deployment
metadata:
  name: camunda
spec:
  template:
    spec:
      terminationGracePeriodSeconds: 60 # what you had (30 where you said nothing), and 15 or more
      enableServiceLinks: false # a service of the same name would set variables that look like settings
      securityContext:
        fsGroup: 10001
      containers:
        - name: camunda # the engine's container; it stays while the last report is made
          lifecycle:
            preStop:
              exec:
                command: [sleep, "15"]
{container}
          lifecycle:
            preStop:
              exec:
                command: [telemetry, send, --final]
      volumes:
{volumes}
"""
_CONTAINER = """\
- name: telemetry
  image: {image}
  command: {command}
  securityContext:
    runAsNonRoot: true
    runAsUser: 10001
    runAsGroup: 10001
    readOnlyRootFilesystem: true
    allowPrivilegeEscalation: false
    capabilities:
      drop: [ALL]
    seccompProfile:
      type: RuntimeDefault
  resources:
    requests:
      cpu: 10m
      memory: 64Mi
    limits:
      memory: 256Mi
  volumeMounts:
    - name: telemetry-store
      mountPath: /var/lib/telemetry
    - name: telemetry-config
      mountPath: /etc/telemetry
      readOnly: true"""
_VOLUMES = """\
- name: telemetry-store
  persistentVolumeClaim:
    claimName: telemetry
- name: telemetry-config
  configMap:
    name: telemetry"""
_NAMES = "both names `camunda`, "
_UNLESS_SENDING = "|| test $? = 7"


def manifests(job: Job, origin: str) -> Part:
    """The claim of a volume, and a CronJob; for a resident reporter what an engine's Deployment gets instead of that.

    Args:
        job: What is run.
        origin: What minute and second were derived from, for people.
    """
    if job.resident:
        container = _container(["telemetry", "run"], 8)
        body = _SIDECAR.format(container=container, volumes=_indented(_VOLUMES, 8))
        return Part(None, _HEAD.format(options=" --resident", yours=_NAMES, how="--server-side ") + body)
    container = _container(["sh", "-c", f"sleep {job.second}; telemetry send {_UNLESS_SENDING}"], 12)
    body = _CRON_JOB.format(
        origin=origin, times=json.dumps(cron.times(job)), container=container, volumes=_indented(_VOLUMES, 12)
    )
    return Part(None, _HEAD.format(options="", yours="", how="") + body)


def _container(command: list[str], width: int) -> str:
    return _indented(_CONTAINER.format(image=_IMAGE, command=json.dumps(command)), width)


def _indented(text: str, width: int) -> str:
    return "\n".join(" " * width + line for line in text.splitlines())
