# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a node runs to ask registries: raw requests over TLS, with Python's ssl or with openssl s_client.

Reads a list of questions as JSON from standard input, prints the list of answers. The second argument tells how many
are asked at a time: one, where their order counts. A question has `port`, `name` (SNI,
may be empty), `certificate` (a file of the folder that is the first argument, without suffix, or empty), `version`
(1.2, 1.3), `client` (python, openssl), `resumed`, `first_name` (SNI of the session that is resumed), `session` (save
or reuse one in a file, with openssl) and `request`, whose bytes are Latin-1. An answer has `status` (0 if the handshake
was refused), `head`, `body`, `error`, `reused` and `seconds`.
"""

from __future__ import annotations

import json
import re
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

HOST = "registry.lab"
TIMEOUT = 20
VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}


def main() -> None:
    """Answer every question."""
    folder, at_a_time = Path(sys.argv[1]), int(sys.argv[2])
    with ThreadPoolExecutor(at_a_time) as pool:
        print(json.dumps(list(pool.map(partial(timed, folder), json.load(sys.stdin)))))


def timed(folder: Path, question: dict[str, Any]) -> dict[str, Any]:
    """The answer, and how long it took."""
    began = time.monotonic()
    answer = {"status": 0, "head": "", "body": "", "error": "", "reused": False}
    answer.update((with_openssl if question["client"] == "openssl" else with_python)(folder, question))
    return {**answer, "seconds": time.monotonic() - began}


def with_python(folder: Path, question: dict[str, Any]) -> dict[str, Any]:
    """Ask with Python's ssl, the second time with the session of the first where it is to be resumed."""
    context = ssl.create_default_context(cafile=folder / "ca.crt")
    context.check_hostname = question["name"] == HOST
    # The CAs of the tests have no key identifiers.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    context.minimum_version = context.maximum_version = VERSIONS[question["version"]]
    if question["certificate"]:
        pair = folder / question["certificate"]
        context.load_cert_chain(f"{pair}.cert", f"{pair}.key")
    session = None
    try:
        if question["resumed"]:
            _answer, session, _reused = once(context, {**question, "name": question["first_name"]}, None)
        answer, _session, reused = once(context, question, session)
    except OSError as error:
        return {"error": str(error)}
    return {**understood(answer), "reused": reused}


def once(
    context: ssl.SSLContext, question: dict[str, Any], session: ssl.SSLSession | None
) -> tuple[bytes, ssl.SSLSession | None, bool]:
    """One connection with one request: what came back, the session and whether it was a resumed one."""
    raw = socket.create_connection((HOST, question["port"]), timeout=TIMEOUT)
    with context.wrap_socket(raw, server_hostname=question["name"] or None, session=session) as connection:
        connection.sendall(question["request"].encode("latin-1"))
        answer = b""
        while part := connection.recv(65536):
            answer += part
        return answer, connection.session, bool(connection.session_reused)


def with_openssl(folder: Path, question: dict[str, Any]) -> dict[str, Any]:
    """Ask with openssl s_client, by way of a file for the session."""
    command = [
        "openssl",
        "s_client",
        "-ign_eof",
        "-connect",
        f"{HOST}:{question['port']}",
        "-CAfile",
        folder / "ca.crt",
    ]
    command += [f"-tls{question['version'].replace('.', '_')}"]
    command += ["-servername", question["name"]] if question["name"] else ["-noservername"]
    if question["certificate"]:
        pair = folder / question["certificate"]
        command += ["-cert", f"{pair}.cert", "-key", f"{pair}.key"]
    request = question["request"].encode("latin-1")
    session = folder / f"{question['port']}-{question['version']}.session"
    with tempfile.TemporaryDirectory() as own:
        if question["session"] == "save":
            command += ["-sess_out", session]
        elif question["session"] == "reuse":
            command += ["-sess_in", session]
        elif question["resumed"]:
            session = Path(own) / "session"
            first = subprocess.run(
                [*command, "-sess_out", session], input=request, capture_output=True, timeout=30, check=False
            )
            if not session.exists():
                return understood(first.stdout + first.stderr)
            command += ["-sess_in", session]
        done = subprocess.run(command, input=request, capture_output=True, timeout=30, check=False)
    said = done.stdout + done.stderr
    begin = said.find(b"HTTP/1.1 ")
    return {**understood(said[begin:] if begin >= 0 else said), "reused": b"\nReused, " in said}


def understood(answer: bytes) -> dict[str, Any]:
    """Status, head and body of the answer; what is no answer is an error."""
    text = answer.decode("latin-1")
    found = re.match(r"HTTP/1\.[01] ([0-9]{3})", text)
    if not found:
        alert = re.search(r"alert [a-z ]+", text) or re.search(r".*error.*", text)
        return {"error": alert.group() if alert else text[:200]}
    head, _separator, body = text.partition("\r\n\r\n")
    # Behind it may stand what openssl says.
    length = re.search(r"(?im)^content-length: ([0-9]+)", head)
    return {"status": int(found.group(1)), "head": head, "body": body[: int(length.group(1))] if length else body}


if __name__ == "__main__":
    main()
