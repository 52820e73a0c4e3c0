"""What the sandbox of the systemd unit hides from host detection, and that the drop-in of the guide gives it back."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.engines import Engine
from tests.support.apart import apart
from tests.support.program import Program

pytestmark = pytest.mark.engine

GUIDE = Path(__file__).parent.parent.parent / "docs" / "schedule.md"


def hosts_word(program: Program, proc: str, rights: str) -> dict[str, Any]:
    """What `environment` has from this host, with another /proc and with some rights of root alone."""
    script = f"""{proc}
exec setpriv --bounding-set={rights} --inh-caps=-all --ambient-caps=-all --no-new-privs \
  {sys.executable} -m telemetry_admin environment --json
"""
    done = apart(script, program.environment(), own_processes=False)
    assert done.returncode == 0, done.stderr
    sources = json.loads(done.stdout)["data"]["engines"][0]["sources"]
    return {source: said for source, said in sources.items() if source.startswith("host")}


def test_the_unit_hides_the_engines_process_and_the_drop_in_shows_it_again(
    engines: Callable[[str], Engine], program: Program
) -> None:
    if shutil.which("setpriv") is None and not os.environ.get("TELEMETRY_TESTS_SKIP_NOTHING"):
        pytest.skip("setpriv is not installed")
    program.configure(f'[engines.orders]\nrest = "{engines("camunda-7.24.0").rest}"\n')
    hidden = hosts_word(program, "mount -t proc -o hidepid=invisible,subset=pid proc /proc", "-all")
    assert list(hidden) == ["host"]
    assert "cannot be looked at" in hidden["host"]["process"]
    without_rights = hosts_word(program, "", "-all")
    assert "this user may not see it" in without_rights["host"]["process"]
    given = re.search(r"^CapabilityBoundingSet=(.+)$", GUIDE.read_text(encoding="utf-8"), re.MULTILINE)
    assert given is not None
    rights = ",".join(f"+{name.removeprefix('CAP_').lower()}" for name in given[1].split())
    shown = hosts_word(program, "", f"-all,{rights}")
    assert len(shown) == 2
    assert all("process" in source for source in shown)
