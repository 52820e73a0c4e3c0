"""The telemetry reporter of the Camunda 7 family as a library; this module owns the version."""

VERSION = "0.1.0"
