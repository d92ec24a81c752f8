# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check a layout on the controller, then let the node make it; its documentation is the module's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.fleet.certs_d.plugins.module_utils._layout_arguments import LAYOUT_ARGUMENTS
from ansible_collections.fleet.certs_d.plugins.module_utils._names import shown
from ansible_collections.fleet.certs_d.plugins.module_utils._pem import holds_private_key
from ansible_collections.fleet.certs_d.plugins.plugin_utils._host_layout import (
    Judged,
    Terms,
    judge,
    read_host_layout,
)
from ansible_collections.fleet.certs_d.plugins.plugin_utils._layout import (
    LayoutError,
    from_data,
    without_private_keys,
)
from ansible_collections.fleet.certs_d.plugins.plugin_utils._node import check_path_of_node, check_roots, run_on_node

# The controller's own options; the rest goes to the node as it is.
_READ_HERE = ("pki", "registries", "private_keys", "warn_days")


class ActionModule(ActionBase):
    """One call per host: everything is checked here, keys travel in one option that is never logged."""

    TRANSFERS_FILES = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Raise AnsibleActionFail with every finding, or return what the module returns."""
        super().run(tmp, task_vars)
        task_vars = task_vars or {}
        check_path_of_node("path", self._task.args.get("path"))
        if self._task.args.get("pki") is None and self._task.args.get("registries") is None:
            raise AnsibleActionFail("give pki or registries (the role node has node_pki and node_registries for them)")
        for path in _key_paths(self._task.args):
            check_path_of_node("private_key_path", path)
        _refuse_keys(self._task.args)
        _validation, args = self.validate_argument_spec(**LAYOUT_ARGUMENTS)
        check_roots(args)
        if args["private_keys"]:
            raise AnsibleActionFail("private_keys is filled by the action: give each key in its client pair")
        try:
            layout = self._layout(args, task_vars)
        except LayoutError as error:
            raise AnsibleActionFail(str(error)) from error
        for sentence in layout.warnings:
            Display().warning(sentence)
        registries, private_keys = without_private_keys(layout.registries)
        sent = {name: value for name, value in args.items() if name not in _READ_HERE and value is not None}
        return run_on_node(
            self,
            "fleet.certs_d.layout",
            {**sent, "registries": registries, "private_keys": private_keys},
            task_vars,
            holds_keys=bool(private_keys),
        )

    def _layout(self, args: dict[str, Any], task_vars: dict[str, Any]) -> Judged:
        terms = Terms(
            datetime.now(UTC),
            warn_days=args["warn_days"],
            accept=args["accept"],
            engines=args["engines"],
            fallback=args["fallback"],
        )
        if args["pki"] is not None:
            return read_host_layout(pki=args["pki"], task_vars=task_vars, loader=self._loader, terms=terms)
        registries, findings = from_data(args["registries"] or ())
        return judge(registries, findings, terms, task_vars["inventory_hostname"])


def _key_paths(args: Mapping[str, Any]) -> Iterator[object]:
    """The paths of keys as they were given; data of another shape is refused by its specification."""
    for registry in _dicts(args.get("registries")):
        yield from (pair.get("private_key_path") for pair in _dicts(registry.get("client_pairs")))


def _dicts(value: object) -> list[Mapping[str, Any]]:
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, Sequence) else []


def _refuse_keys(args: Mapping[str, Any]) -> None:
    """A key that was pasted into another option would be quoted by Ansible's own complaint about it."""
    for option, value in args.items():
        if option not in ("registries", "private_keys") and holds_private_key(str(value)):
            raise AnsibleActionFail(
                f"{shown(option)}: a private key stands where none belongs: give it in a client pair"
            )
