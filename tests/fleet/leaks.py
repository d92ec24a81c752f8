# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finding private keys where none may be: every line of every key, in any spelling of its newlines."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

CALLBACK = """
from ansible.plugins.callback import CallbackBase
DOCUMENTATION = "{name: arguments, type: notification, short_description: d, description: d, options: {}}"
class CallbackModule(CallbackBase):
    CALLBACK_VERSION, CALLBACK_NAME, CALLBACK_TYPE = 2.0, "arguments", "notification"
    def note(self, result):
        task = getattr(result, "task", None) or result._task
        with open("@FILE@", "a") as file:
            file.write(repr((task.name, task.args, getattr(result, "result", None) or result._result)) + chr(10))
    v2_runner_on_ok = note
    def v2_runner_on_failed(self, result, ignore_errors=False):
        self.note(result)
"""


def key_lines(pki: Path) -> set[str]:
    """The lines of all keys of a PKI tree."""
    return lines_of(key.read_text() for key in pki.rglob("*.key"))


def lines_of(keys: Iterable[str]) -> set[str]:
    """The lines of keys, without those that name no secret: BEGIN, END and short rests."""
    lines = {line for key in keys for line in key.splitlines()}
    return {line for line in lines if not line.startswith("-----") and len(line) >= 20}


def watch_arguments(folder: Path) -> dict[str, str]:
    """The variables with which Ansible has a callback write into the file `seen` of the folder what it is handed."""
    (folder / "arguments.py").write_text(CALLBACK.replace("@FILE@", str(folder / "seen")))
    return {"ANSIBLE_CALLBACK_PLUGINS": str(folder), "ANSIBLE_CALLBACKS_ENABLED": "arguments"}


def leaked(text: str, lines: set[str]) -> list[str]:
    """The beginnings of the key lines that stand in the text, also where it spells newlines as a backslash and an n."""
    return sorted(line[:12] + "…" for line in lines if line in text)
