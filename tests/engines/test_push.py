# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real pushes to the role's registry, and pulls of them from another of its hosts: the registry's logs as oracle."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterator

import pytest

from ansible_collections.fleet.certs_d.tests.engines.conftest import Lay
from ansible_collections.fleet.certs_d.tests.engines.hub import HUB, HUBS, Hub
from ansible_collections.fleet.certs_d.tests.engines.pulls import CLIENTS, pull, push
from ansible_collections.fleet.certs_d.tests.engines.registry import Registry
from ansible_collections.fleet.certs_d.tests.fleet.running import ENGINES, REGISTRY, ssh

# dockerd 28.5 and 26.1, containerd 2.1, 1.7 and 1.6, podman 5.8 and 5.4, skopeo 1.22, 1.18 and 1.9.
PUSH = [
    ("sid", "docker pull"),
    ("engine13", "docker pull"),
    *((host, client) for client in ("ctr", "podman", "skopeo") for host in ("sid", "engine13", "engine12")),
]


@contextlib.contextmanager
def alone(host: str) -> Iterator[None]:
    """Only this host serves the name."""
    others = [other for other in HUBS if other != host]
    try:
        for other in others:
            ssh(ENGINES, other, "systemctl stop apache2").good()
        yield
    finally:
        for other in others:
            ssh(ENGINES, other, "systemctl start apache2").good()


@pytest.fixture
def image(registry: Registry, lay: Lay, host: str, client: str) -> str:
    """An image that the engine has, and no hub."""
    lay(host, CLIENTS[client].engine, ["good"], fallback=False)
    image = f"{REGISTRY}/{registry.new_image()}:latest"
    pull(host, client, image).good()
    return image


@pytest.mark.parametrize(("host", "client"), PUSH)
def test_what_is_pushed_to_one_host_is_pulled_from_the_other(
    hub: Hub, lay: Lay, host: str, client: str, image: str
) -> None:
    new = f"{HUB}/pushed/{secrets.token_hex(4)}:1.0"
    lay(host, CLIENTS[client].engine, ["pusher"], fallback=False, name=HUB, of=hub)
    hub.forget_logs()
    with alone("hub1"):
        push(host, client, image, new).good()
    lay(host, CLIENTS[client].engine, ["reader"], fallback=False, name=HUB, of=hub)
    with alone("hub2"):
        pull(host, client, new).good()
    pushed, pulled = hub.log_of("hub1"), hub.log_of("hub2")
    assert {answer.pair for answer in pushed} == {"pusher"}
    assert [answer.answer for answer in pushed if answer.request.startswith("PUT") and "/manifests/" in answer.request]
    assert {answer.answer for answer in pushed if answer.request.startswith("PUT")} == {"201"}
    assert {(answer.pair, answer.answer) for answer in pulled} == {("reader", "200")}
    assert [answer for answer in pulled if "/manifests/" in answer.request]


@pytest.mark.parametrize(("host", "client"), PUSH)
def test_who_may_only_read_is_told_so(hub: Hub, lay: Lay, host: str, client: str, image: str) -> None:
    repository = f"refused/{secrets.token_hex(4)}"
    lay(host, CLIENTS[client].engine, ["reader"], fallback=False, name=HUB, of=hub)
    hub.forget_logs()
    run = push(host, client, image, f"{HUB}/{repository}:1.0")
    assert run.status != 0
    assert any(word in run.output.lower() for word in ("no right to push", "403 forbidden", "denied")), run.output
    writes = [answer for each in HUBS for answer in hub.log_of(each) if not answer.request.startswith(("GET", "HEAD"))]
    assert writes
    assert {(answer.pair, answer.answer) for answer in writes} == {("reader", "403")}
    assert hub.ask("pusher", "GET", f"/v2/{repository}/tags/list").status == 404
