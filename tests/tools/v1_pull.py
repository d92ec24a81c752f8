# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pull an image as docker 1.2.0 to 1.3.3 did: its requests, its order of client pairs, its fallback.

Usage: v1_pull.py REGISTRY REPOSITORY TAG [CERTS_D]. Runs on a node's own Python. Prints JSON: `requests` lists path,
pair and status (null where the handshake was refused) in their order, `layers` the SHA-256 of each layer by image id,
and `error` is what the client would have said, null when all came.

The rules were measured with the registry client of docker 1.3.3: every request starts at the first pair, on a fresh
connection, and goes on at 403, at 5xx and at a transport error; `_ping` decides nothing but that there is a registry;
`images` is asked of the name as given and `tags` below `library/`.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import ssl
import sys

_HTTPS = 443


class PullFailed(Exception):
    """What the client says when it gives up."""


class Client:
    """The pairs of one host directory, and every request that was made."""

    def __init__(self, registry: str, certs_d: str) -> None:
        self._registry = registry
        directory = os.path.join(certs_d, registry)
        names = sorted(os.listdir(directory), key=os.fsencode)
        self._roots = [os.path.join(directory, name) for name in names if name.endswith(".crt")]
        self._pairs = [os.path.join(directory, name[:-5]) for name in names if name.endswith(".cert")]
        self.requests: list[tuple[str, str | None, int | None]] = []

    def get(self, path: str) -> http.client.HTTPResponse:
        """The answer to the last pair that was tried; the body is still to be read."""
        pairs: list[str | None] = [*self._pairs] or [None]
        answer: http.client.HTTPResponse | OSError = OSError("no pair")
        for pair in pairs:
            try:
                answer = self._ask(path, pair)
            except OSError as error:
                answer = error
            status = None if isinstance(answer, OSError) else answer.status
            self.requests.append((path, os.path.basename(pair) if pair else None, status))
            if status is not None and status != 403 and status < 500:
                break
        if isinstance(answer, OSError):
            raise PullFailed(f"{path}: {answer}")
        return answer

    def json(self, path: str) -> object:
        """The answer as data; PullFailed where it is not 200."""
        return json.loads(self.content(path))

    def content(self, path: str) -> bytes:
        """The whole body; PullFailed where it is not 200."""
        answer = self.get(path)
        if answer.status != 200:
            raise PullFailed(f"HTTP code {answer.status}: {path}")
        return answer.read()

    def _ask(self, path: str, pair: str | None) -> http.client.HTTPResponse:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        for root in self._roots:
            context.load_verify_locations(root)
        if pair:
            context.load_cert_chain(pair + ".cert", pair + ".key")
        host, _colon, port = self._registry.partition(":")
        connection = http.client.HTTPSConnection(host, int(port or _HTTPS), context=context, timeout=30)
        connection.request("GET", path, headers={"Host": self._registry, "Connection": "close"})
        return connection.getresponse()


def pull(client: Client, repository: str, tag: str) -> dict[str, str]:
    """The SHA-256 of each layer by image id, the image's own first."""
    for _time in range(2):
        client.get("/v1/_ping").read()
    client.json(f"/v1/repositories/{repository}/images")
    in_library = repository if "/" in repository else f"library/{repository}"
    tags = client.json(f"/v1/repositories/{in_library}/tags")
    if not isinstance(tags, dict) or tag not in tags:
        raise PullFailed(f"Tag {tag} not found in repository {repository}")
    layers = {}
    ancestry = client.json(f"/v1/images/{tags[tag]}/ancestry")
    for image in ancestry if isinstance(ancestry, list) else []:
        client.json(f"/v1/images/{image}/json")
        layers[str(image)] = hashlib.sha256(client.content(f"/v1/images/{image}/layer")).hexdigest()
    return layers


def main() -> None:
    """Pull, and tell what came."""
    registry, repository, tag = sys.argv[1:4]
    client = Client(registry, sys.argv[4] if len(sys.argv) > 4 else "/etc/docker/certs.d")
    layers, error = {}, None
    try:
        layers = pull(client, repository, tag)
    except PullFailed as reason:
        error = str(reason)
    json.dump({"requests": client.requests, "layers": layers, "error": error}, sys.stdout)


if __name__ == "__main__":
    main()
