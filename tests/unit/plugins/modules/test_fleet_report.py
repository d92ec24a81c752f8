# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the module fleet.certs_d.fleet_report, which only documents its action."""

from __future__ import annotations

import json

import pytest
import yaml  # type: ignore[import-untyped,unused-ignore]
from ansible.module_utils.testing import patch_module_args

from ansible_collections.fleet.certs_d.plugins.doc_fragments import records
from ansible_collections.fleet.certs_d.plugins.module_utils._fleet_report_arguments import FLEET_REPORT_ARGUMENTS
from ansible_collections.fleet.certs_d.plugins.modules import fleet_report


def test_run_as_a_module_it_says_where_it_runs(capsys: pytest.CaptureFixture[str]) -> None:
    with patch_module_args({"dest": "a"}), pytest.raises(SystemExit):
        fleet_report.main()
    result = json.loads(capsys.readouterr().out)
    assert result["failed"]
    assert "runs on the controller" in result["msg"]


def test_each_option_is_documented_as_it_is() -> None:
    facts = ("type", "elements", "required", "choices", "default")
    texts = (records.ModuleDocFragment.DOCUMENTATION, fleet_report.DOCUMENTATION)
    documented = {name: option for text in texts for name, option in yaml.safe_load(text)["options"].items()}
    assert {name: [option.get(fact) for fact in facts] for name, option in documented.items()} == {
        name: [option.get(fact) for fact in facts] for name, option in FLEET_REPORT_ARGUMENTS.items()
    }
