# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible's commands, as a user calls them."""

from __future__ import annotations

import sys
from pathlib import Path


def program(name: str) -> str:
    """One of the running environment: `python -m ansible` knows none where ansible-test has a copy of ansible-core."""
    return str(Path(sys.executable).with_name(name))
