# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures that several test files share."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

# Ansible finds plugins only through its own import hook, which must come before the first import of a collection.
# Under ansible-test it is already there.
if "ansible_collections" not in sys.modules:
    from ansible.plugins.loader import init_plugin_loader

    init_plugin_loader([path for path in sys.path if Path(path, "ansible_collections/fleet/certs_d").is_dir()])

from ansible_collections.fleet.certs_d.tests.unit.material import Issued, issue_ca, issue_client


@pytest.fixture(scope="session")
def ca() -> Issued:
    """A CA root."""
    return issue_ca()


@pytest.fixture(scope="session")
def client(ca: Issued) -> Issued:
    """A sound client pair of that CA."""
    return issue_client(signer=ca)


@pytest.fixture(scope="session")
def other(ca: Issued) -> Issued:
    """Another one."""
    return issue_client("other", signer=ca)
