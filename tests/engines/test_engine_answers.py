# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What engines answer when they are asked without a pull: the registry's log as oracle."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ansible_collections.fleet.certs_d.tests.engines.asking import CLIENTS as KINDS
from ansible_collections.fleet.certs_d.tests.engines.asking import UNKNOWN, Told, ask, kept
from ansible_collections.fleet.certs_d.tests.engines.conftest import Lay
from ansible_collections.fleet.certs_d.tests.engines.registry import Registry
from ansible_collections.fleet.certs_d.tests.fleet.running import ENGINES, REGISTRY, ssh

# dockerd 28.5, 26.1 and 20.10, skopeo 1.22, 1.18 and 1.9, podman 5.8, 5.4 and 4.3, containerd 2.1, 1.7 and 1.6.
HOSTS = ("sid", "engine13", "engine12")
ASKED = [(host, client) for host in HOSTS for client in KINDS]
# dockerd 28.5 keeps its images with containerd.
READ_HOSTS_TOML = [("sid", "docker"), *((host, "ctr") for host in HOSTS)]
MISSING = {
    "docker": "missing key 10-good.key for client certificate 10-good.cert",
    "skopeo": "missing key 10-good.key for client certificate 10-good.cert",
    "podman": "missing key 10-good.key for client certificate 10-good.cert",
    "ctr": "10-good.key: no such file or directory",
}
# Without its key the certificate's file is taken for one that holds both.
MISSING_IN_CONTAINERD_STORE = "failed to load X509 key pair: tls: found a certificate rather than a key"


@pytest.fixture(scope="module")
def stored() -> dict[str, set[str]]:
    """By host what its engines had when the last test on it ended."""
    return {}


@pytest.fixture(autouse=True)
def nothing_is_left(lab: None, host: str, stored: dict[str, set[str]]) -> Iterator[None]:
    """Not an image and not a blob, of whatever was asked."""
    before = stored[host] if host in stored else kept(host)
    yield
    stored[host] = kept(host)
    assert stored[host] - before == set()


def seen(registry: Registry) -> set[tuple[str, str]]:
    """Which pairs the registry saw, and what it said to them."""
    return {(answer.pair, answer.answer) for answer in registry.log()}


def by(host: str, client: str) -> tuple[str, str | None]:
    """Who answers, and docker's image store."""
    return client, {"docker": "containerd" if host == "sid" else "classic"}.get(client)


def assert_told(told: Told, host: str, client: str, status: int | None, error: str = "") -> None:
    assert (told.client, told.store) == by(host, client), told
    assert told.why is None
    assert told.status == status, told
    assert error.lower() in told.error.lower()
    assert bool(told.error) == (status != 200)


@pytest.mark.parametrize(("host", "client"), ASKED)
def test_a_good_pair_is_let_in_for_an_image_and_for_none(registry: Registry, lay: Lay, host: str, client: str) -> None:
    path = lay(host, KINDS[client].engine, ["good"], fallback=False)["path"]
    known = f"{registry.new_image()}:latest"
    # Whatever the image is, docker with the containerd store is asked for a digest that none can have.
    found = "404" if by(host, client)[1] == "containerd" else "200"
    for image, last in ((UNKNOWN, "404"), (known, found)):
        registry.forget_log()
        assert_told(ask(host, client, path, image=image), host, client, 200)
        assert {pair for pair, _answer in seen(registry)} == {"good"}
        assert registry.log()[-1].answer == last


@pytest.mark.parametrize("pairs", [["403-a"], ["403-a", "good"]], ids=len)
@pytest.mark.parametrize(("host", "client"), ASKED)
def test_a_bad_pair_is_told_also_before_a_good_one(
    registry: Registry, lay: Lay, host: str, client: str, pairs: list[str]
) -> None:
    path = lay(host, KINDS[client].engine, pairs, fallback=False)["path"]
    registry.forget_log()
    assert_told(ask(host, client, path), host, client, 403)
    assert seen(registry) == {("403-a", "403")}


@pytest.mark.parametrize(("host", "client"), ASKED)
def test_an_expired_pair_is_told(registry: Registry, lay: Lay, host: str, client: str) -> None:
    path = lay(host, KINDS[client].engine, ["expired-a"], fallback=False)["path"]
    registry.forget_log()
    assert_told(ask(host, client, path), host, client, None, "tls: expired certificate")
    assert seen(registry) == {("expired-a", "certificate has expired")}


@pytest.mark.parametrize(("host", "client"), ASKED)
def test_without_a_pair_the_registry_says_so(registry: Registry, lay: Lay, host: str, client: str) -> None:
    path = lay(host, KINDS[client].engine, [], fallback=False)["path"]
    registry.forget_log()
    assert_told(ask(host, client, path), host, client, 403)
    assert seen(registry) == {("-", "403")}


@pytest.mark.parametrize(("host", "client"), ASKED)
def test_a_missing_key_is_told_and_nothing_is_sent(registry: Registry, lay: Lay, host: str, client: str) -> None:
    path = lay(host, KINDS[client].engine, ["good"], fallback=False)["path"]
    ssh(ENGINES, host, f"rm '{path}/10-good.key'").good()
    registry.forget_log()
    text = MISSING_IN_CONTAINERD_STORE if by(host, client)[1] == "containerd" else MISSING[client]
    assert_told(ask(host, client, path), host, client, None, text)
    assert seen(registry) == set()


@pytest.mark.parametrize("known", [False, True], ids=["unknown", "known"])
@pytest.mark.parametrize(("host", "client"), READ_HOSTS_TOML)
def test_what_a_later_host_of_hosts_toml_says_is_told(
    registry: Registry, lay: Lay, host: str, client: str, known: bool
) -> None:
    path = lay(host, KINDS[client].engine, ["403-a", "good"], fallback=True)["path"]
    image = f"{registry.new_image()}:latest" if known else UNKNOWN
    registry.forget_log()
    told = ask(host, client, path, image=image)
    # docker itself tells of the first host alone.
    assert_told(told._replace(store=None), host, "ctr", 200)
    assert told.store == by(host, client)[1]
    assert seen(registry) == {("403-a", "403"), ("good", "200" if known else "404")} | (
        {("good", "404")} if client == "docker" else set()
    )


@pytest.mark.parametrize("host", ["sid"])
def test_without_ctr_docker_tells_that_it_does_not_tell(registry: Registry, lay: Lay, host: str) -> None:
    path = lay(host, "docker", ["403-a", "good"], fallback=True)["path"]
    told = ask(host, "docker", path, without=["ctr"])
    assert (told.client, told.status) == ("docker", None)
    assert told.error.startswith("of all hosts of hosts.toml the first: ")
    assert "403 forbidden" in told.error.lower()


@pytest.mark.parametrize(("host", "client"), READ_HOSTS_TOML)
def test_hosts_that_all_refuse_are_told(registry: Registry, lay: Lay, host: str, client: str) -> None:
    path = lay(host, KINDS[client].engine, ["403-a", "503-b"], fallback=True)["path"]
    registry.forget_log()
    told = ask(host, client, path)
    assert_told(told._replace(store=None), host, "ctr", 403, "403 forbidden")
    assert seen(registry) == {("403-a", "403"), ("503-b", "503")}


@pytest.mark.parametrize(("host", "client"), ASKED)
def test_a_registry_that_says_nothing_costs_no_more_than_the_timeout(lab: None, host: str, client: str) -> None:
    name = f"{host}:7777"
    root = {"docker": "/etc/docker", "containers": "/etc/containers", "containerd": "/etc/containerd"}
    path = f"{root[KINDS[client].engine]}/certs.d/{name}"
    told = ask(host, client, path, name=name, timeout=2, hangs=7777)
    assert_told(told, host, client, None, "no answer within 2 s")
    assert 1.9 < told.seconds < 4


@pytest.mark.parametrize(("host", "client"), [(host, "docker") for host in HOSTS])
def test_docker_is_not_asked_of_a_root_that_it_does_not_read(lab: None, host: str, client: str) -> None:
    told = ask(host, client, f"/srv/certs.d/{REGISTRY}")
    assert (told.client, told.why) == (None, "docker reads /etc/docker/certs.d, not /srv/certs.d")


@pytest.mark.parametrize("host", HOSTS)
def test_skopeo_is_asked_of_any_root(registry: Registry, lay: Lay, host: str) -> None:
    path = lay(host, "containers", ["good"], fallback=False)["path"]
    ssh(
        ENGINES, host, f"mkdir -p /srv/certs.d && cp -r '{path}' /srv/certs.d && rm '{path}'/*.cert '{path}'/*.key"
    ).good()
    try:
        assert_told(ask(host, "skopeo", path), host, "skopeo", 403)
        assert_told(ask(host, "skopeo", f"/srv/certs.d/{REGISTRY}"), host, "skopeo", 200)
    finally:
        ssh(ENGINES, host, "rm -rf /srv/certs.d").good()
