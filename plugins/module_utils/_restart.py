# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a running engine does not see by itself."""

from __future__ import annotations

import re

_OLD = "docker build of dockerd before 23 does not see a new host directory until dockerd restarts"
_BUILDKIT = "docker build goes on with the old certificates for some minutes, or until dockerd restarts"


def restart_reason(dockerd_version: str, *, created: bool) -> str | None:
    """Why dockerd wants a restart after a host directory was created or changed; pulls read it anew each time.

    Measured: 20.10 reads host directories for builds at its start; BuildKit in 26 to 29 remembers certificates of a
    repository for three to five and a half minutes. `dockerd_version` is what `dockerd --version` says.
    """
    found = re.search(r"version (\d+)\.", dockerd_version)
    if found is None:
        return None
    if int(found[1]) < 23:
        return _OLD if created else None
    return None if created else _BUILDKIT
