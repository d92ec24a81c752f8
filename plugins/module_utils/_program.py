# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Running a program of the node, for a bounded time."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile

_LONGEST = 65536


def run_program(command: list[str], timeout: float) -> tuple[int, str]:
    """The exit status and the complaints, at most their last 64 KiB, of a program whose output nobody wants.

    Raises FileNotFoundError where there is none of this name, TimeoutError after `timeout` seconds: then it is ended
    with all that it has started.
    """
    with tempfile.TemporaryFile() as complaints:
        # AnsibleModule.run_command ends nothing that takes too long, and keeps all that is printed in memory.
        with subprocess.Popen(  # pylint: disable=ansible-bad-function
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=complaints,
            start_new_session=True,
        ) as process:
            try:
                process.wait(timeout)
            except subprocess.TimeoutExpired:
                raise TimeoutError from None
            finally:
                if process.returncode is None:
                    with contextlib.suppress(ProcessLookupError):
                        os.killpg(process.pid, signal.SIGKILL)
        complaints.seek(max(complaints.seek(0, os.SEEK_END) - _LONGEST, 0))
        return process.returncode, complaints.read().decode("utf-8", "replace")
