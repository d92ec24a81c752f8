# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Running a program of the node, for a bounded time."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess


def run_program(command: list[str], timeout: float) -> tuple[int, str, str]:
    """The exit status, the output and the complaints of a program that gets nothing to read.

    Raises FileNotFoundError where there is none of this name, TimeoutError after `timeout` seconds: then it is ended
    with all that it has started.
    """
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        try:
            output, complaints = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            raise TimeoutError from None
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
    return process.returncode, output.decode("utf-8", "replace"), complaints.decode("utf-8", "replace")
