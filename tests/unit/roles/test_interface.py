# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The roles' interfaces: what the argument specs say is what the defaults and the READMEs say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

ROLES = Path(__file__).parents[3] / "roles"

pytestmark = pytest.mark.parametrize("role", ["node", "registry"])


def read(role: str, name: str) -> Any:
    return yaml.safe_load((ROLES / role / name).read_text())


def options(role: str) -> dict[str, Any]:
    """The options of all entry points; one that several have is the same in each."""
    found: dict[str, Any] = {}
    for entry_point in read(role, "meta/argument_specs.yml")["argument_specs"].values():
        for name, option in entry_point["options"].items():
            assert found.setdefault(name, option) == option
    return found


def test_each_option_has_its_default_in_defaults(role: str) -> None:
    wanted = {name: "" if option.get("required") else option["default"] for name, option in options(role).items()}
    assert read(role, "defaults/main.yml") == wanted


def test_each_option_is_told_of_in_the_readme(role: str) -> None:
    text = (ROLES / role / "README.md").read_text()
    assert [name for name in options(role) if f"| `{name}` |" not in text] == []
