# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role's registry and its tree of images, pulled from by real engines; its log is the oracle."""

from __future__ import annotations

import json
import secrets
from typing import Any

import pytest

from ansible_collections.fleet.certs_d.tests.engines.conftest import Lay
from ansible_collections.fleet.certs_d.tests.engines.pulls import CLIENTS, pull
from ansible_collections.fleet.certs_d.tests.engines.static_registry import (
    NAME,
    StaticRegistry,
    archive_of_platforms,
    saved,
)
from ansible_collections.fleet.certs_d.tests.fleet.running import ENGINES, PROJECT, REGISTRY, ssh

HOSTS = ("sid", "engine13", "engine12")
# dockerd 28.5, 26.1 and 20.10; podman 5.8, 5.4 and 4.3; skopeo 1.22, 1.18 and 1.9; containerd 2.1, 1.7 and 1.6.
PULLING = [(host, client) for client in ("docker pull", "podman", "skopeo", "ctr") for host in HOSTS]
V1_PULL = (PROJECT / "tests" / "tools" / "v1_pull.py").read_text()


def lay_for(lay: Lay, host: str, client: str, pair: str) -> None:
    lay(host, CLIENTS[client].engine, [pair], fallback=False, name=NAME)


@pytest.mark.parametrize(("host", "client"), PULLING)
def test_engines_of_today_pull_with_their_certificate(static: StaticRegistry, lay: Lay, host: str, client: str) -> None:
    repository = static.new_image()
    lay_for(lay, host, client, "good")
    static.forget_log()
    done = pull(host, client, f"{NAME}/{repository}:latest")
    assert done.status == 0, done.output
    log = static.log()
    assert {(answer.pair, answer.answer) for answer in log} == {("good", "200")}
    fetched = {answer.request for answer in log if answer.request.startswith("GET ")}
    # Its config and its layer; containerd 2 asks for the configs of other platforms, too.
    assert len([request for request in fetched if "/blobs/" in request]) >= 2


@pytest.mark.parametrize(("host", "client"), PULLING)
def test_a_foreign_certificate_pulls_nothing(static: StaticRegistry, lay: Lay, host: str, client: str) -> None:
    lay_for(lay, host, client, "foreign")
    static.forget_log()
    done = pull(host, client, f"{NAME}/busybox:latest")
    assert done.status != 0
    assert {answer.answer for answer in static.log()} == {"403"}
    # Go does not even present a certificate of an issuer that the registry does not name, and engines say why not.
    assert {answer.pair for answer in static.log()} == {"-"}


@pytest.mark.parametrize("host", HOSTS)
def test_what_docker_saves_is_the_same_image_again(static: StaticRegistry, lay: Lay, host: str) -> None:
    """The archive of 20.10 has a folder per layer, that of 26.1 and 28.5 is an OCI layout, too."""
    origin = f"{REGISTRY}/{static.clients.new_image()}:latest"
    lay(host, "docker", ["good"], fallback=False)
    assert pull(host, "docker pull", origin).status == 0
    static.put("saved", saved(host, f"docker save '{origin}'"))
    lay_for(lay, host, "docker pull", "good")
    copy = f"{NAME}/saved:latest"
    pulled = pull(host, "docker pull", copy)
    assert pulled.status == 0, pulled.output
    assert config_of(host, copy) == config_of(host, origin)


@pytest.mark.parametrize("kind", ["oci-archive", "docker-archive"])
def test_what_skopeo_writes_is_the_same_image_again(static: StaticRegistry, lay: Lay, kind: str) -> None:
    origin = f"{REGISTRY}/{static.clients.new_image()}:latest"
    lay("sid", "containers", ["good"], fallback=False)
    written = f"skopeo copy -q 'docker://{origin}' {kind}:/tmp/written && cat /tmp/written && rm /tmp/written"
    static.put("written", saved("sid", f"rm -f /tmp/written; {written}"))
    before = inspected("sid", origin, "--config")
    lay_for(lay, "sid", "skopeo", "good")
    assert inspected("sid", f"{NAME}/written:latest", "--config") == before


def test_an_image_of_two_platforms_stays_whole(static: StaticRegistry, lay: Lay) -> None:
    archive, digests = archive_of_platforms(secrets.token_hex(4))
    told = static.put("platforms", archive)
    assert told["image"]["digest"] == digests["index"]
    for host, client in [("engine13", "skopeo"), ("sid", "ctr"), ("engine12", "podman")]:
        lay_for(lay, host, client, "good")
    image = f"{NAME}/platforms:latest"
    assert ssh(ENGINES, "engine13", f"skopeo copy --all docker://{image} oci:/tmp/all && rm -r /tmp/all").status == 0
    assert f"index {digests['index']}" in ssh(ENGINES, "sid", ctr_pull(image)).good()
    for architecture in ("amd64", "arm64"):
        line = f"podman pull -q --arch {architecture} {image}"
        # podman names an image by the digest of its config.
        assert f"sha256:{ssh(ENGINES, 'engine12', line).good().split()[-1]}" == digests[architecture]


def ctr_pull(image: str) -> str:
    options = "--hosts-dir /etc/containerd/certs.d --all-platforms"
    return (
        f"ctr images pull {options} {image} > /dev/null && ctr images ls name=={image}"
        " | awk 'NR == 2 {print ($2 ~ /index/ ? \"index\" : $2), $3}'"
    )


def test_docker_1_3_pulls_with_the_second_pair_when_the_first_is_refused(static: StaticRegistry, lay: Lay) -> None:
    lay("engine12", "docker", ["expired-a", "good"], fallback=False, name=NAME)
    static.forget_log()
    told = v1_pull("engine12", "busybox", "latest")
    assert told["error"] is None
    assert [(pair, status) for _path, pair, status in told["requests"]] == [
        ("10-expired-a", None),
        ("20-good", 200),
    ] * 7
    assert {(answer.pair, answer.answer) for answer in static.log()} == {
        ("expired-a", "certificate has expired"),
        ("good", "200"),
    }
    manifest = inspected("engine12", f"{NAME}/busybox:latest", "--raw", engine_pair=("good", lay))
    assert [f"sha256:{layer}" for layer in told["layers"].values()] == [each["digest"] for each in manifest["layers"]]


def test_docker_1_3_is_refused_without_a_certificate_of_the_registry(static: StaticRegistry, lay: Lay) -> None:
    lay("engine12", "docker", ["foreign"], fallback=False, name=NAME)
    told = v1_pull("engine12", "busybox", "latest")
    assert told["layers"] == {}
    assert told["error"] is not None


def v1_pull(host: str, repository: str, tag: str) -> dict[str, Any]:
    told = ssh(ENGINES, host, f"python3 - {NAME} {repository} {tag}", given=V1_PULL).good()
    return dict(json.loads(told))


def config_of(host: str, image: str) -> str:
    """Its layers and its command, which every image store tells alike: an id is not always the config's digest."""
    line = f"docker image inspect --format '{{{{json .RootFS.Layers}}}} {{{{json .Config.Cmd}}}}' {image}"
    return ssh(ENGINES, host, line).good()


def inspected(host: str, image: str, option: str, engine_pair: tuple[str, Lay] | None = None) -> dict[str, Any]:
    """What skopeo finds in the registry."""
    if engine_pair:
        pair, lay = engine_pair
        lay_for(lay, host, "skopeo", pair)
    return dict(json.loads(ssh(ENGINES, host, f"skopeo inspect {option} docker://{image}").good()))
