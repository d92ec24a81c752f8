# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The registry that the engines pull from: its certificates, its images, and what it has logged."""

from __future__ import annotations

import gzip
import hashlib
import http.client
import json
import secrets
import ssl
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from operator import attrgetter
from pathlib import Path
from typing import Any, NamedTuple

from ansible_collections.fleet.certs_d.plugins.module_utils._executable_image import image_of_executable
from ansible_collections.fleet.certs_d.tests.fleet.running import ENGINES, ssh
from ansible_collections.fleet.certs_d.tests.tools.apache_events import events
from ansible_collections.fleet.certs_d.tests.tools.issue import facts_of
from ansible_collections.fleet.certs_d.tests.unit.material import (
    CLIENT,
    NOW,
    Issued,
    issue,
    issue_ca,
    issue_client,
    issue_server,
)

HOST = "registry1"
NAME = "registry.lab"
PLAYBOOK = Path(__file__).with_name("registry.yml")
_LOGS = ("/var/log/apache2/engines_access.log", "/var/log/apache2/engines_error.log")
MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
_CONFIG = "application/vnd.docker.container.image.v1+json"
_LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"
_BUSYBOX = Path("/bin/busybox")


class Answer(NamedTuple):
    """What the registry said: to which pair, its status or why the pair was refused in the handshake, to what."""

    pair: str
    answer: str
    request: str


class Image(NamedTuple):
    """An image of one layer, as the blobs and the manifest that a registry keeps."""

    layer: bytes
    config: bytes
    manifest: bytes


class Registry:
    """A registry that gives each client certificate the answer that its common name begins with."""

    def __init__(self, folder: Path, address: str, names: Sequence[str] = (NAME,)) -> None:
        self.address = address
        self.material = folder
        self._authority = issue_ca("Authority of the engines' tests")
        self._pairs: dict[str, Issued] = {}
        server = issue_server(signer=self._authority, names=(*names, address))
        for name, content in (
            ("ca.crt", self.ca),
            ("server.crt", server.certificate),
            ("server.key", server.private_key),
        ):
            (folder / name).write_text(content)

    @property
    def ca(self) -> str:
        """The root of the registry's own certificate, and of its clients'."""
        return self._authority.certificate

    def pair(self, name: str) -> Issued:
        """The pair of this name, issued once: `403…` and the like are refused with that status, `expired…` is
        refused in the handshake, `foreign…` is of an authority that the registry does not name."""
        if name not in self._pairs:
            self._pairs[name] = self._issue(name)
        return self._pairs[name]

    def _issue(self, name: str) -> Issued:
        if name.startswith("expired"):
            began, ended = NOW - timedelta(days=30), NOW - timedelta(days=1)
            return issue(name, signer=self._authority, purposes=[CLIENT], not_before=began, not_after=ended)
        return issue_client(name, signer=issue_ca("Foreign") if name.startswith("foreign") else self._authority)

    def forget_log(self) -> None:
        """What is logged from now on is told by `log`."""
        ssh(ENGINES, HOST, f"truncate --size 0 {' '.join(_LOGS)}").good()

    def log(self) -> list[Answer]:
        """What was answered, in the order of time."""
        return self.answers_in(*_LOGS)

    def answers_in(self, *logs: str) -> list[Answer]:
        """The same of any registry's logs on the host."""
        return answers_in(HOST, logs, self._pairs)

    def new_image(self) -> str:
        """The repository of an image that nobody has, not a single blob of it."""
        name = secrets.token_hex(8)
        self._push(name, image_of(marker=name))
        return name

    def _push(self, repository: str, image: Image) -> None:
        send = self._sender()
        for blob in (image.layer, image.config):
            place = send("POST", f"/v2/{repository}/blobs/uploads/", b"", {})
            send("PUT", f"{place}&digest={_digest(blob)}", blob, {"Content-Type": "application/octet-stream"})
        send("PUT", f"/v2/{repository}/manifests/latest", image.manifest, {"Content-Type": MANIFEST})

    def _sender(self) -> Callable[[str, str, bytes, dict[str, str]], str]:
        pair = self.pair("pusher")
        certificate, key = self.material / "pusher.cert", self.material / "pusher.key"
        certificate.write_text(pair.certificate)
        key.write_text(pair.private_key)
        context = ssl.create_default_context(cadata=self.ca)
        context.load_cert_chain(certificate, key)
        connection = http.client.HTTPSConnection(self.address, 5000, context=context, timeout=30)

        def send(method: str, path: str, body: bytes, headers: dict[str, str]) -> str:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            assert answer.status in (201, 202), (method, path, answer.status, answer.read())
            answer.read()
            return str(answer.headers["Location"])

        return send


def answers_in(host: str, logs: Sequence[str], pairs: Mapping[str, Issued]) -> list[Answer]:
    """What these logs of a host tell; a certificate stands there by its serial number or by its fingerprint."""
    names = {fact: name for name, pair in pairs.items() for fact in facts_of(pair.x509).values()}
    lines = ssh(ENGINES, host, f"cat {' '.join(logs)}").good().splitlines()
    return [
        Answer(names.get(event.certificate, event.certificate), event.answer, event.request)
        for event in sorted(events(lines), key=attrgetter("time"))
    ]


def image_of(marker: str, *, architecture: str = "") -> Image:
    """busybox, with a link of this name, by which the image differs from every other down to its one layer.

    Its config may claim another architecture: nobody runs it.
    """
    made = image_of_executable(str(_BUSYBOX), applets=[marker])
    ((_digest_of_layer, plain),) = made.read([each.digest for each in made.root.layers])
    layer = gzip.compress(b"".join(plain), compresslevel=1, mtime=0)
    (config,) = made.configs.values()
    if architecture:
        config = _json(**{**json.loads(config), "architecture": architecture})
    manifest = _json(
        schemaVersion=2, mediaType=MANIFEST, config=_described(config, _CONFIG), layers=[_described(layer, _LAYER)]
    )
    return Image(layer, config, manifest)


def _described(blob: bytes, media_type: str) -> dict[str, Any]:
    return {"mediaType": media_type, "size": len(blob), "digest": _digest(blob)}


def _digest(blob: bytes) -> str:
    return f"sha256:{hashlib.sha256(blob).hexdigest()}"


def _json(**data: Any) -> bytes:
    return json.dumps(data).encode()
