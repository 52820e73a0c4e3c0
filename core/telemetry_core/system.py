"""The system's own places as texts, for what must be known before anything that takes time is loaded."""

CONFIG = "/etc/telemetry/telemetry.toml"
POLICY = "/etc/telemetry/policy.toml"
STATE = "/var/lib/telemetry"
STORE_NAME = "telemetry.db"
