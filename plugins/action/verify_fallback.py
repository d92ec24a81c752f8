# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Let the node ask its registries, then judge the answers; its documentation is the module's."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ansible_collections.fleet.certs_d.plugins.module_utils._verify_arguments import VERIFY_ARGUMENTS
from ansible_collections.fleet.certs_d.plugins.plugin_utils._documented import documented
from ansible_collections.fleet.certs_d.plugins.plugin_utils._effective import effective
from ansible_collections.fleet.certs_d.plugins.plugin_utils._engine_verdict import engine_verdict
from ansible_collections.fleet.certs_d.plugins.plugin_utils._expectation import contradiction, unmet
from ansible_collections.fleet.certs_d.plugins.plugin_utils._node import check_path_of_node, root_faults, run_on_node
from ansible_collections.fleet.certs_d.plugins.plugin_utils._verdict import VERDICTS, unverified

_LONGEST_TIMEOUT = 3600
_NOTHING_ASKED = "there is no host directory, so nothing was asked: check the path, or name the registries"
# What the verdicts are made of, of no use beside them.
_RAW = ("measured", "asked", "asked_why")


class ActionModule(ActionBase):
    """The node measures, the controller judges."""

    TRANSFERS_FILES = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return the verdicts; the result is failed where one is not what was expected."""
        super().run(tmp, task_vars)
        check_path_of_node("path", self._task.args.get("path"))
        _check_form(self._task.args.get("expect"))
        _validation, args = self.validate_argument_spec(argument_spec=VERIFY_ARGUMENTS)
        faults = list(_faults(args))
        if faults:
            raise AnsibleActionFail("\n".join(faults))
        if self._task.check_mode:
            return {"changed": False, "verified": False, "registries": list(_unverified(args))}
        result = run_on_node(self, "fleet.certs_d.verify_fallback", args, task_vars or {})
        if "registries" not in result:
            return {**result, "verified": False}
        now = datetime.now(UTC)
        result["registries"] = [_judged(registry, args["expect"], now) for registry in result["registries"]]
        warnings = [
            *result.get("warnings", ()),
            *(each for registry in result["registries"] for each in _warnings(registry)),
        ]
        complaints = [registry["complaint"] for registry in result["registries"] if registry["complaint"]]
        if not result["registries"]:
            complaints = [f"{args['path'] or ', '.join(args['engines'])}: {_NOTHING_ASKED}"]
        if complaints:
            result.update(failed=True, msg="\n".join(complaints))
        return {**result, "verified": not complaints, "warnings": list(dict.fromkeys(warnings))}


def _judged(registry: Mapping[str, Any], expect: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    verdicts = {
        "documented": documented(registry),
        "effective": effective(registry, now=now),
        "engine": engine_verdict(registry),
    }
    complaint = unmet(verdicts, expect)
    kept = {key: value for key, value in registry.items() if key not in _RAW}
    return {**kept, "verdicts": verdicts, "expected": complaint is None, "complaint": complaint}


def _warnings(registry: Mapping[str, Any]) -> Iterator[str]:
    """What a user should know though the verdicts are as expected."""
    surprise = contradiction(registry["verdicts"])
    if surprise:
        yield surprise
    for warning in (registry["server"] or {}).get("warnings", ()):
        yield f"{registry['name']}: {warning}"


def _unverified(args: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The registries in the shape of a result, where check mode asks nobody."""
    for name in args["registries"] or []:
        for engine in args["engines"]:
            verdicts = {kind: unverified() for kind in VERDICTS}
            yield {"name": name, "engine": engine, "findings": [], "requests": [], "verdicts": verdicts}


def _check_form(expect: Any) -> None:
    """The slip that Ansible's own check has no words for."""
    for kind, demanded in expect.items() if isinstance(expect, Mapping) else ():
        if not isinstance(demanded, Mapping):
            raise AnsibleActionFail(f"expect: {kind}: {demanded} is no verdict: write {kind}: {{status: 200}}")


def _faults(args: Mapping[str, Any]) -> Iterator[str]:
    """Everything that is wrong with the options, beyond what their types say."""
    if not re.fullmatch(r"/[!-~]*", args["request"]):
        yield f"request: {args['request']!r} is no path of a request: begin with a slash, use ASCII"
    for option in ("timeout", "timeout_total"):
        if not 0 < args[option] <= _LONGEST_TIMEOUT:
            yield f"{option}: give a number of seconds above 0, at most {_LONGEST_TIMEOUT}"
    yield from root_faults(args)
    if not any(args["expect"].values()):
        yield "expect: name at least one of documented, effective and engine"
    if not re.fullmatch(r"[a-z0-9._/-]+(:[\w.-]+)?", args["image"]):
        yield f"image: {args['image']!r} is no NAME:TAG of an image: leave the registry out"
