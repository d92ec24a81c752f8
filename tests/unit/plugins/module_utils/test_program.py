# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of running a program for a bounded time."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from ansible_collections.fleet.certs_d.plugins.module_utils._program import run_program


def test_status_and_complaints_are_told() -> None:
    code = "import sys; print(sys.stdin.read() + 'out'); sys.stderr.buffer.write(b'err\\xff'); sys.exit(3)"
    assert run_program([sys.executable, "-c", code], 20) == (3, "err\ufffd")


def test_no_more_than_the_end_of_long_complaints_is_read() -> None:
    code = "import sys; sys.stderr.write('x' * 1_000_000 + 'end')"
    status, complaints = run_program([sys.executable, "-c", code], 20)
    assert (status, len(complaints), complaints[-3:]) == (0, 65536, "end")


def test_a_missing_program_is_told() -> None:
    with pytest.raises(FileNotFoundError):
        run_program(["n0-such-program"], 1)


def test_a_program_that_hangs_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    began = time.monotonic()
    with pytest.raises(TimeoutError):
        run_program(["/bin/sh", "-c", f"(sleep 1.5; touch {mark}) & sleep 30"], 0.3)
    assert time.monotonic() - began < 5
    time.sleep(1.6)
    assert not mark.exists()
