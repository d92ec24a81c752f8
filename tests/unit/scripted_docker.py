# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A daemon behind a unix socket that answers each request as a script says, and keeps its own log."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingMixIn, UnixStreamServer
from typing import Any, Literal, NamedTuple

CLASSIC: dict[str, Any] = {"Driver": "overlay2", "DriverStatus": [["Backing Filesystem", "extfs"]]}
CONTAINERD: dict[str, Any] = {"Driver": "overlayfs", "DriverStatus": [["driver-type", "io.containerd.snapshotter.v1"]]}
_WAIT = 20


class Said(NamedTuple):
    """One answer: its status and its body as it is, or as JSON; or what happens instead."""

    status: int = 200
    body: Any = b""
    trouble: Literal["", "hang", "trickle", "close", "garbage"] = ""


class ScriptedDocker(ThreadingMixIn, UnixStreamServer):
    """`script` maps the beginning of a request's target to its answer."""

    daemon_threads = True

    def __init__(self, path: Path, script: Mapping[str, Said], server: str) -> None:
        super().__init__(str(path), _Handler)
        self.script, self.server_name = script, server
        self.log: list[str] = []
        self.stopped = threading.Event()

    def handle_error(self, *_arguments: Any) -> None:
        """Clients hang up where they have waited long enough."""


class _Handler(BaseHTTPRequestHandler):
    server: ScriptedDocker

    def do_GET(self) -> None:
        self.server.log.append(f"{self.command} {self.path}")
        said = next(said for start, said in self.server.script.items() if self.path.startswith(start))
        body = said.body if isinstance(said.body, bytes) else json.dumps(said.body).encode()
        if said.trouble == "hang":
            self.server.stopped.wait(_WAIT)
        if said.trouble == "garbage":
            self.wfile.write(b"\0" * 64)
        if said.trouble in ("hang", "close", "garbage"):
            return
        self.send_response(said.status)
        self.end_headers()
        self.wfile.write(body)
        while said.trouble == "trickle" and not self.server.stopped.wait(0.05):
            self.wfile.write(b'{"status":"Waiting"}\n')

    def do_POST(self) -> None:
        self.do_GET()

    def version_string(self) -> str:
        return self.server.server_name

    def address_string(self) -> str:
        return "socket"

    def log_message(self, *_arguments: Any) -> None:
        """The log is the server's own."""


@contextlib.contextmanager
def scripted_docker(
    folder: Path, script: Mapping[str, Said], *, server: str = "Docker/28.5.2 (linux)"
) -> Iterator[ScriptedDocker]:
    """Serve at `server_address` until the end."""
    docker = ScriptedDocker(folder / "docker.sock", script, server)
    thread = threading.Thread(target=docker.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield docker
    finally:
        docker.stopped.set()
        docker.shutdown()
        docker.server_close()
        thread.join(_WAIT)
