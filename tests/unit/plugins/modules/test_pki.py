# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the module fleet.certs_d.pki, which only documents its action."""

from __future__ import annotations

import json

import pytest
import yaml  # type: ignore[import-untyped,unused-ignore]
from ansible.module_utils.testing import patch_module_args

from ansible_collections.fleet.certs_d.plugins.module_utils._pki_arguments import PKI_ARGUMENTS
from ansible_collections.fleet.certs_d.plugins.modules import pki


def test_run_as_a_module_it_says_where_it_runs(capsys: pytest.CaptureFixture[str]) -> None:
    with patch_module_args({"path": "p", "authority": "a", "registries": []}), pytest.raises(SystemExit):
        pki.main()
    result = json.loads(capsys.readouterr().out)
    assert result["failed"]
    assert "runs on the controller" in result["msg"]


def test_each_option_is_documented_with_its_default() -> None:
    documented = yaml.safe_load(pki.DOCUMENTATION)["options"]
    assert {name: option.get("default") for name, option in documented.items()} == {
        name: option.get("default") for name, option in PKI_ARGUMENTS.items()
    }
