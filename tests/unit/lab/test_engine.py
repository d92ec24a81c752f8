# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a killed daemon left mounted."""

from __future__ import annotations

from pathlib import Path

from lab.engine import mounts_below

MOUNTS = """\
overlay /var/lib/lab/data/overlay2/1/merged overlay rw 0 0
proc /proc proc rw 0 0
overlay /var/lib/lab-of-another/data/overlay2/2/merged overlay rw 0 0
shm /var/lib/lab/data/overlay2/1/merged/dev/shm tmpfs rw 0 0
"""


def test_only_mounts_below_the_folder_are_named_in_their_order() -> None:
    assert mounts_below(Path("/var/lib/lab"), MOUNTS) == [
        "/var/lib/lab/data/overlay2/1/merged",
        "/var/lib/lab/data/overlay2/1/merged/dev/shm",
    ]
