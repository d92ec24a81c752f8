# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a node runs to ask a registry for very many paths: four connections side by side, each kept as long as it lasts.

Reads `port`, `certificate` and `paths` as JSON from standard input, and prints a list of status and body of each. A
connection that ends without an answer, or does not answer for twenty seconds, is status 0.
"""

from __future__ import annotations

import http.client
import json
import ssl
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

HOST = "registry.lab"


class Connection(http.client.HTTPSConnection):
    """Sends every path as it is."""

    def _validate_path(self, url: str) -> None:
        """Bad ones are the point."""

    def _encode_request(self, request: str) -> bytes:
        return request.encode("latin-1")


def main() -> None:
    """Share the paths out, and print the answers in their order."""
    folder, given = Path(sys.argv[1]), json.load(sys.stdin)
    with ThreadPoolExecutor(4) as pool:
        shares = list(pool.map(lambda number: ask(folder, given, given["paths"][number::4]), range(4)))
    answers = [shares[index % 4][index // 4] for index in range(len(given["paths"]))]
    print(json.dumps(answers))


def ask(folder: Path, given: dict[str, Any], paths: list[str]) -> list[tuple[int, str]]:
    """One after the other."""
    context = ssl.create_default_context(cafile=folder / "ca.crt")
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if given["certificate"]:
        context.load_cert_chain(folder / f"{given['certificate']}.cert", folder / f"{given['certificate']}.key")
    connection = Connection(HOST, given["port"], context=context, timeout=20)
    answers = []
    for path in paths:
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            answers.append((answer.status, answer.read().decode("latin-1")))
        except (OSError, http.client.HTTPException) as error:
            answers.append((0, repr(error)))
            connection.close()
    return answers


if __name__ == "__main__":
    main()
