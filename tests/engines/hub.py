# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The registry that takes pushes, on two hosts behind one name: its certificates, requests to it, and its logs."""

from __future__ import annotations

import hashlib
import http.client
import json
import secrets
import ssl
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ansible_collections.fleet.certs_d.tests.engines.registry import (
    MANIFEST,
    Answer,
    Image,
    Registry,
    answers_in,
    image_of,
)
from ansible_collections.fleet.certs_d.tests.fleet.running import ENGINES, Run, run, ssh, tool

HUBS = ("hub1", "hub2")
NAME = "hub.lab"
HUB = f"{NAME}:5000"
PLAYBOOK = Path(__file__).with_name("hub.yml")
_LOGS = tuple(f"/var/log/apache2/certs-d-hub.lab_5000_{kind}.log" for kind in ("access", "error"))


class Response(NamedTuple):
    """What came back for one request."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def reason(self) -> str:
        """The message of the one error in a body as the distribution specification has it."""
        (error,) = json.loads(self.body)["errors"]
        return str(error["message"])


class Hub(Registry):
    """Registries of the role; `pusher` may push, others may read what the playbook says."""

    def __init__(self, folder: Path, addresses: Mapping[str, str]) -> None:
        super().__init__(folder, addresses["hub1"], (NAME, *addresses, *addresses.values()))
        self.addresses = addresses
        self.material = folder
        self.storage_secret, self.http_secret = secrets.token_hex(16), secrets.token_hex(32)

    def deploy(self, *options: str, **variables: Any) -> Run:
        """Run the role on both hosts."""
        given = {
            "hub_material": str(self.material),
            "hub_storage_secret": self.storage_secret,
            "hub_http_secret": self.http_secret,
            **variables,
        }
        # In a file: Ansible shows the words of its command.
        file = self.material / "variables.json"
        file.write_text(json.dumps(given))
        return run(tool("ansible-playbook"), PLAYBOOK, "-i", ENGINES, "-e", f"@{file}", *options)

    def context(self, pair: str | None) -> ssl.SSLContext:
        """TLS as a client that presents this pair."""
        context = ssl.create_default_context(cadata=self.ca)
        if pair is not None:
            issued = self.pair(pair)
            certificate, key = self.material / f"{pair}.cert", self.material / f"{pair}.key"
            certificate.write_text(issued.certificate)
            key.write_text(issued.private_key)
            context.load_cert_chain(certificate, key)
        return context

    def ask(
        self,
        pair: str | None,
        method: str,
        path: str,
        body: bytes | Iterable[bytes] = b"",
        *,
        host: str = "hub1",
        port: int = 5000,
        **headers: str,
    ) -> Response:
        """One request on a connection of its own; `_` in the name of a header is a dash."""
        connection = http.client.HTTPSConnection(self.addresses[host], port, context=self.context(pair), timeout=120)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            connection.request(method, path, body or None, named)
            answer = connection.getresponse()
            return Response(answer.status, answer.headers, answer.read())
        finally:
            connection.close()

    def push_blob(self, repository: str, blob: bytes, *, host: str = "hub1", port: int = 5000) -> str:
        """Push a blob; its digest."""
        digest = f"sha256:{hashlib.sha256(blob).hexdigest()}"
        place = self.upload(self.ask("pusher", "POST", f"/v2/{repository}/blobs/uploads/", host=host, port=port))
        put = self.ask("pusher", "PUT", f"{place}&digest={digest}", blob, host=host, port=port)
        assert put.status == 201, put
        return digest

    def push_image(self, repository: str, *, port: int = 5000) -> Image:
        """Push an image that nobody has, as `latest`."""
        image = image_of(secrets.token_hex(8))
        for blob in (image.layer, image.config):
            self.push_blob(repository, blob, port=port)
        path = f"/v2/{repository}/manifests/latest"
        put = self.ask("pusher", "PUT", path, image.manifest, port=port, Content_Type=MANIFEST)
        assert put.status == 201, put
        return image

    @staticmethod
    def upload(begun: Response) -> str:
        """Where an upload goes on, as a path with its query."""
        assert begun.status == 202, begun
        place = str(begun.headers["Location"])
        root = f"https://{NAME}:"
        assert place.startswith(root), place
        return "/" + place.removeprefix(root).split("/", 1)[1]

    def forget_logs(self) -> None:
        """What is logged from now on is told by `log_of`."""
        for host in HUBS:
            ssh(ENGINES, host, f"truncate --size 0 {' '.join(_LOGS)}").good()

    def log_of(self, host: str) -> list[Answer]:
        """What was answered, in the order of time; the access log names a certificate by its fingerprint."""
        return answers_in(host, _LOGS, self._pairs)
