"""HTTP requests that end in time, over TLS and through proxies; no other room of core knows httpx."""

from telemetry_core.http.client import Client
from telemetry_core.http.exchanges import Answer, Exchange, Proxy
from telemetry_core.http.tls import Security

__all__ = ["Answer", "Client", "Exchange", "Proxy", "Security"]
