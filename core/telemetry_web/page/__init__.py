"""The administration page: what an engine's Admin web application had for telemetry, and what it never had."""
