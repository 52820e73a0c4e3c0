"""Real process engines for tests: builds them with Maven, runs them on loopback and gives them work."""

from .launch import RELEASES, Engine, EngineError, Release, build, missing_tools
from .standalone import StandaloneEngine

__all__ = ["RELEASES", "Engine", "EngineError", "Release", "StandaloneEngine", "build", "missing_tools"]
