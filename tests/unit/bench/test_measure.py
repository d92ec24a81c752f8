# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measuring commands."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from ansible_collections.fleet.certs_d.tests.bench.measure import RunFailed, measure

BUSY = "import time\nend = time.process_time() + 0.2\nwhile time.process_time() < end: pass"


def test_processors_count_children_and_all_commands(tmp_path: Path) -> None:
    child = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {BUSY!r}], check=True)"
    one = [sys.executable, "-c", child]
    sample = measure([one, one], environment=os.environ, log=tmp_path / "log")
    assert sample.cpu >= 0.4
    assert sample.wall >= 0.2


def test_the_peak_is_that_of_the_largest_process(tmp_path: Path) -> None:
    commands = [[sys.executable, "-c", f"len(bytearray({size}))"] for size in (1, 300_000_000)]
    sample = measure(commands, environment=os.environ, log=tmp_path / "log")
    assert 300_000_000 < sample.peak < 400_000_000


def test_a_command_that_fails_is_no_measurement(tmp_path: Path) -> None:
    with pytest.raises(RunFailed, match="no such thing"):
        measure([["sh", "-c", "echo no such thing; exit 3"]], environment=os.environ, log=tmp_path / "log")
