# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""docker's daemon as its socket speaks: which image store it has, and what the registry answers to it."""

from __future__ import annotations

import http.client
import json
import re
import socket
import time
from typing import Any, NamedTuple
from urllib.parse import quote

DOCKER_SOCKET = "/var/run/docker.sock"
CLASSIC = "classic"
CONTAINERD = "containerd"
_SNAPSHOTTER = "io.containerd.snapshotter"
# No image can have this digest, so that the pull of it ends with the registry's answer.
_NOBODYS_DIGEST = "sha256:" + "0" * 64
_LONGEST_ANSWER = 1 << 20
_CHUNK = 1 << 14


class NotDocker(Exception):
    """The reason why no docker answers at the socket."""


class Reply(NamedTuple):
    """What the daemon said: its own HTTP status, which program it is, and the text or the lines of JSON."""

    status: int
    server: str
    body: bytes


class Daemon(NamedTuple):
    """A daemon that listens at a path; all that is asked of it ends by the deadline of time.monotonic.

    Raises NotDocker where nobody listens, socket.timeout at the deadline, and OSError or HTTPException where the
    daemon hangs up or talks garbage.
    """

    path: str
    deadline: float

    def store(self) -> str:
        """Where the daemon keeps its images, which decides what it reads in a host directory."""
        reply = self._ask("GET", "/info")
        if reply.server.startswith("Libpod/"):
            raise NotDocker(f"podman answers at {self.path}")
        info = _data(reply.body)
        if reply.status != http.client.OK or not isinstance(info, dict):
            raise http.client.HTTPException(f"/info of {self.path} is answered with {reply.status}")
        rows = info.get("DriverStatus") or []
        return CONTAINERD if any(str(row[-1]).startswith(_SNAPSHOTTER) for row in rows if row) else CLASSIC

    def fault(self, registry: str, image: str, store: str) -> str | None:
        """What the daemon says when it asks the registry for an image; None where the registry knows it.

        With the containerd store `/distribution` goes another way than a pull (measured on 28.5: it reads no
        hosts.toml), so there a pull is begun that can't get anything.
        """
        if store == CLASSIC:
            return _fault(self._ask("GET", f"/distribution/{quote(f'{registry}/{image}', safe='/:@')}/json"))
        name = re.sub(r"(:[^/:@]*)?(@.*)?$", "", image, count=1)
        query = f"fromImage={quote(f'{registry}/{name}', safe='')}&tag={quote(_NOBODYS_DIGEST, safe='')}"
        return _fault(self._ask("POST", f"/images/create?{query}"))

    def _ask(self, method: str, target: str) -> Reply:
        with socket.socket(socket.AF_UNIX) as plain:
            plain.settimeout(self._left())
            try:
                plain.connect(self.path)
            except socket.timeout:
                raise
            except OSError as error:
                raise NotDocker(f"{self.path}: {error.strerror or error}") from None
            connection = http.client.HTTPConnection("docker")
            connection.sock = plain
            connection.request(method, target, headers={"User-Agent": "fleet.certs_d"})
            with connection.getresponse() as response:
                return Reply(response.status, response.headers.get("Server", ""), self._body(plain, response))

    def _body(self, plain: socket.socket, response: http.client.HTTPResponse) -> bytes:
        """A socket's timeout begins anew with every byte; a pull that goes on and on ends here all the same."""
        body = b""
        while len(body) < _LONGEST_ANSWER:
            plain.settimeout(self._left())
            chunk = response.read1(_CHUNK)
            if not chunk:
                break
            body += chunk
        return body

    def _left(self) -> float:
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise socket.timeout
        return left


def _fault(reply: Reply) -> str | None:
    """The last word of the daemon: a pull tells its failure in a line after others, under status 200."""
    told = [_data(line) for line in reply.body.splitlines()]
    faults = [row.get("message") or row.get("error") for row in told if isinstance(row, dict)]
    words = [str(fault) for fault in faults if fault]
    if words:
        return words[-1]
    if reply.status < http.client.BAD_REQUEST:
        return None
    return reply.body.decode("utf-8", "replace").strip() or f"docker answered {reply.status} without a word"


def _data(text: bytes) -> Any:
    try:
        return json.loads(text.decode("utf-8", "replace"))
    except ValueError:
        return None
