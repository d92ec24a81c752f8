# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Let the node ask its registries, then judge the answers; its documentation is the module's."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ansible_collections.fleet.certs_d.plugins.module_utils._verify_arguments import VERIFY_ARGUMENTS
from ansible_collections.fleet.certs_d.plugins.plugin_utils._node import check_path_of_node, run_on_node
from ansible_collections.fleet.certs_d.plugins.plugin_utils._verdict import (
    complaint,
    documented,
    is_expected,
    unverified,
)

_LONGEST_TIMEOUT = 3600
_NOTHING_ASKED = "there is no host directory, so nothing was asked: check the path, or name the registries"


class ActionModule(ActionBase):
    """The node measures, the controller judges."""

    TRANSFERS_FILES = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return the verdicts; the result is failed where one is not what was expected."""
        super().run(tmp, task_vars)
        check_path_of_node("path", self._task.args.get("path"))
        _validation, args = self.validate_argument_spec(argument_spec=VERIFY_ARGUMENTS)
        _check(args)
        if self._task.check_mode:
            names = args["registries"] or []
            verdicts = [{"name": name, "findings": [], "requests": [], "documented": unverified()} for name in names]
            return {"changed": False, "verified": False, "registries": verdicts}
        result = run_on_node(self, "fleet.certs_d.verify_fallback", args, task_vars or {})
        if "registries" not in result:
            return {**result, "verified": False}
        expected = args["expect"]["documented"]
        for registry in result["registries"]:
            registry["documented"] = documented(registry)
            registry["expected"] = is_expected(registry["documented"], expected)
            registry["complaint"] = None if registry["expected"] else complaint(registry["documented"], expected)
        complaints = [registry["complaint"] for registry in result["registries"] if registry["complaint"]]
        if not result["registries"]:
            complaints = [f"{args['path']}: {_NOTHING_ASKED}"]
        if complaints:
            result.update(failed=True, msg="\n".join(complaints))
        return {**result, "verified": not complaints}


def _check(args: Mapping[str, Any]) -> None:
    if not re.fullmatch(r"/[!-~]*", args["request"]):
        raise AnsibleActionFail(f"request: {args['request']!r} is no path of a request: begin with a slash, use ASCII")
    if not 0 < args["timeout"] <= _LONGEST_TIMEOUT:
        raise AnsibleActionFail(f"timeout: give a number of seconds above 0, at most {_LONGEST_TIMEOUT}")
