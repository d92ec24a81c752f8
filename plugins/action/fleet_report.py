# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the fleet's report; its documentation is the module's."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.fleet.certs_d.plugins.module_utils._certificate import TIME_FORMAT
from ansible_collections.fleet.certs_d.plugins.module_utils._fleet_report_arguments import FLEET_REPORT_ARGUMENTS
from ansible_collections.fleet.certs_d.plugins.plugin_utils import _report_metrics, _report_page
from ansible_collections.fleet.certs_d.plugins.plugin_utils._fleet_records import records
from ansible_collections.fleet.certs_d.plugins.plugin_utils._fleet_report import Report, as_text, build, merge, read
from ansible_collections.fleet.certs_d.plugins.plugin_utils._fleet_table import Record, rows_of
from ansible_collections.fleet.certs_d.plugins.plugin_utils._key_files import locked, make_folders, write_files
from ansible_collections.fleet.certs_d.plugins.plugin_utils._report_shape import InvalidReport

_FILES = {
    "json": ("report.json", as_text),
    "html": ("report.html", _report_page.render),
    "prometheus": ("report.prom", _report_metrics.render),
}
# For whoever serves the page and reads the metrics.
_MODE = 0o644
_NOTHING = (
    "there is nothing to report: no host was verified, and no slices are named. Give an inventory with -i whose group "
    "nodes has hosts, or name others in certs_d_report_hosts, or report.json files in certs_d_report_slices"
)


class ActionModule(ActionBase):
    """Reads what the hosts' tasks have recorded and earlier reports; no host is talked to."""

    TRANSFERS_FILES = False
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Write the files, except in check mode; nothing of it is a change of a host."""
        super().run(tmp, task_vars)
        _validation, args = self.validate_argument_spec(argument_spec=FLEET_REPORT_ARGUMENTS)
        made = datetime.now(UTC).strftime(TIME_FORMAT)
        found = records(task_vars or {}, args)
        report = merge([build(found, made=made), *_slices(args["slices"])], made=made)
        if not report["hosts"]:
            raise AnsibleActionFail(_NOTHING)
        directory = os.path.abspath(args["dest"])
        _check_call(found, args["verification"], directory)
        files = {} if self._task.check_mode else _rendered(report, args["formats"], directory)
        try:
            if files:
                _write(directory, files)
        except OSError as error:
            place = f"{error.filename or args['dest']}: {error.strerror}"
            raise AnsibleActionFail(f"{place}: the report can't be written: name another directory") from None
        for path in files:
            Display().display(f"report: {path}")
        return {"changed": False, "hosts": len(report["hosts"]), "files": list(files)}


def _slices(paths: list[str]) -> list[Report]:
    """The reports of these files; one error tells all that can't be read."""
    found, faults = [], []
    for path in dict.fromkeys(paths):
        try:
            with open(path, encoding="utf-8") as stream:
                found.append(read(stream.read()))
        except OSError as error:
            faults.append(f"{path}: {error.strerror}: name a report.json")
        except UnicodeDecodeError:
            faults.append(f"{path}: this is no JSON: it is not in UTF-8")
        except InvalidReport as error:
            faults.append(f"{path}: {error}")
    if faults:
        raise AnsibleActionFail("slices can't be merged:\n" + "\n".join(f"  - {fault}" for fault in faults))
    return found


def _check_call(found: Sequence[Record], verification: str, directory: str) -> None:
    """A call that can only be a slip leaves an earlier report as it was."""
    if found and not any(record.is_reached for record in found):
        raise AnsibleActionFail(
            f"verification: no host has anything in {verification}: register the result of verify_fallback by this name"
        )
    if found and all(record.is_refused for record in found):
        earlier = [name for name, _make in _FILES.values() if os.path.exists(os.path.join(directory, name))]
        if earlier:
            faults = "\n".join(f"  - {fault}" for fault in _faults(found))
            raise AnsibleActionFail(f"no host was asked, so {directory} was left as it was:\n{faults}")


def _faults(found: Iterable[Record]) -> Iterable[str]:
    """Each sentence once, with the first of its hosts: a wrong variable is that of the whole fleet as a rule."""
    told: dict[str, str] = {}
    for row in (row for record in found for row in rows_of(record)):
        told.setdefault(row.fault, f"{row.host}: {row.fault}")
    return told.values()


def _rendered(report: Report, formats: Iterable[str], directory: str) -> dict[str, str]:
    """The texts by their paths."""
    wanted = [_FILES[name] for name in dict.fromkeys(formats)]
    return {os.path.join(directory, name): make(report) for name, make in wanted}


def _write(directory: str, files: Mapping[str, str]) -> None:
    make_folders(directory)
    with locked(directory):
        write_files({path: content.encode() for path, content in files.items()}, mode=_MODE)
