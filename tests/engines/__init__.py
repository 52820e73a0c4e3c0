"""Real process engines for tests: builds them with Maven, runs them on loopback and gives them work."""

from .launch import RELEASES, Engine, EngineError, Release, build, missing_tools

__all__ = ["RELEASES", "Engine", "EngineError", "Release", "build", "missing_tools"]
