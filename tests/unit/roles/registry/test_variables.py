# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The variables of the registry role."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

ROLE = Path(__file__).parents[4] / "roles/registry"


def read(name: str) -> Any:
    return yaml.safe_load((ROLE / name).read_text())


def test_each_os_family_sets_the_same_variables() -> None:
    assert set(read("vars/Debian.yml")) == set(read("vars/RedHat.yml"))


def test_no_answer_for_tests_is_on_by_default() -> None:
    assert read("defaults/main.yml")["registry_test_answers"] == []
