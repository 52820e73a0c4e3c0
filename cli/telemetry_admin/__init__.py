"""The command `telemetry`: the hands of telemetry_core."""
