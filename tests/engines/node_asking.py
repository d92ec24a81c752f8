# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a node runs to ask its engines: reads a question as JSON, prints the answer.

A question has `engine`, `registry`, `image`, `path` and `timeout`, the list `without` of programs that are to be
missing, and `hangs`, a port at which this program listens and never says a word, or 0. The answer has `asked`,
`asked_why`, `store` and the `seconds` that all of it took.
"""

from __future__ import annotations

import json
import socket
import sys
import time

from ansible_collections.fleet.certs_d.plugins.module_utils._ask_engine import ask_engine
from ansible_collections.fleet.certs_d.plugins.module_utils._program import run_program


def main() -> None:
    """Answer the one question."""
    question = json.load(sys.stdin)
    without, hangs = question.pop("without"), question.pop("hangs")

    def run(command: list[str], timeout: float) -> tuple[int, str]:
        if command[0] in without:
            raise FileNotFoundError(2, "No such file or directory", command[0])
        return run_program(command, timeout)

    with socket.socket() as silent:
        if hangs:
            silent.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            silent.bind(("", hangs))
            silent.listen()
        began = time.monotonic()
        answer = ask_engine(run_command=run, **question)
    print(json.dumps({**answer._asdict(), "seconds": time.monotonic() - began}))


if __name__ == "__main__":
    main()
