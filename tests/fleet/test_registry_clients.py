# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real clients: skopeo, whose TLS is Go's, curl over HTTP/2, and a pull as docker before 1.6 did it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ansible_collections.fleet.certs_d.tests.fleet.registries import HOST, NAME, NODE, Fleet, Question
from ansible_collections.fleet.certs_d.tests.fleet.running import INVENTORY, OnHost, Run, address, run, ssh
from ansible_collections.fleet.certs_d.tests.unit.roles.registry.trees import digest

PULLED = "/tmp/pulled"


@pytest.fixture
def skopeo(registries: Fleet) -> Fleet:
    """The node has skopeo."""
    ssh(
        INVENTORY,
        NODE,
        "which skopeo || { apt-get update && apt-get install --yes --no-install-recommends skopeo; }",
    ).good()
    return registries


def copy(fleet: Fleet, policy: str, image: str, certificate: str) -> Run:
    """Copy an image from a registry, with a directory that holds this pair."""
    source = f"docker://{NAME}:{fleet.by_policy[policy].port}/{image}"
    pair = (
        f"cp '{certificate}.cert' pair/client.cert && cp '{certificate}.key' pair/client.key" if certificate else "true"
    )
    return ssh(
        INVENTORY,
        NODE,
        f"cd /root/gate-tests && rm -rf pair {PULLED} && mkdir pair && cp ca.crt pair/ && {pair}"
        f" && skopeo --insecure-policy copy --src-cert-dir pair {source} dir:{PULLED}",
    )


@pytest.mark.parametrize(
    ("policy", "image", "certificate"),
    [
        ("signed_by_ca", "app:latest", "good"),
        ("allowlist", "team/tool:latest", "good"),
        ("allowlist", "other/tool:latest", "named"),
        ("allowlist without a CA", "app:latest", "self-signed"),
        ("any_certificate", "app:latest", "foreign"),
    ],
)
def test_skopeo_copies_what_it_may(skopeo: Fleet, policy: str, image: str, certificate: str) -> None:
    done = copy(skopeo, policy, image, certificate)
    assert done.status == 0, done.output
    wanted = skopeo.images[image.partition(":")[0]]
    sums = ssh(INVENTORY, NODE, f"cd {PULLED} && sha256sum manifest.json {wanted.layer_digest[7:]}").good()
    assert [line.split()[0] for line in sums.splitlines()] == [wanted.manifest_digest[7:], wanted.layer_digest[7:]]


@pytest.mark.parametrize(
    ("policy", "image", "certificate", "why"),
    [
        ("signed_by_ca", "app:latest", "", "no client certificate was presented"),
        # Apache names its CAs, so that Go does not even present it.
        ("signed_by_ca", "app:latest", "foreign", "no client certificate was presented"),
        ("signed_by_ca", "app:latest", "expired", "expired"),
        ("signed_by_ca", "app:latest", "revoked", "revoked"),
        ("allowlist", "app:latest", "stranger", "client certificate is not on the allowlist"),
        ("allowlist", "other/tool:latest", "good", "client certificate has no right to read this"),
        ("allowlist without a CA", "app:latest", "foreign", "client certificate is not on the allowlist"),
    ],
)
def test_skopeo_is_told_why_it_may_not(skopeo: Fleet, policy: str, image: str, certificate: str, why: str) -> None:
    done = copy(skopeo, policy, image, certificate)
    assert done.status != 0
    assert why in done.output.lower()


def test_curl_gets_http_2(registries: Fleet, tmp_path: Path) -> None:
    image = registries.images["app"]
    folder = registries.material.folder
    done = run(
        *("curl", "--silent", "--show-error", "--http2", "--resolve", f"{NAME}:5002:{address(INVENTORY, HOST)}"),
        *("--cacert", folder / "ca.crt", "--cert", folder / "good.cert", "--key", folder / "good.key"),
        *("--output", tmp_path / "layer", "--write-out", "%{http_version} %{http_code}"),
        f"https://{NAME}:5002/v2/app/blobs/{image.layer_digest}",
    )
    assert done.output == "2 200"
    assert (tmp_path / "layer").read_bytes() == image.layer


def test_a_pull_of_v1_gets_the_image(registries: Fleet, on: OnHost) -> None:
    image = registries.images["app"]

    def get(path: str) -> str:
        (answer,) = registries.ask(Question(5002, "good", f"/v1/{path}", version="1.2"))
        assert answer.status == 200, path
        return answer.body

    get("_ping")
    assert json.loads(get("repositories/app/images")) == [{"id": image.v1_id}]
    top = json.loads(get("repositories/library/app/tags"))["latest"]
    for each in json.loads(get(f"images/{top}/ancestry")):
        assert json.loads(get(f"images/{each}/json"))["id"] == each
        assert digest(get(f"images/{each}/layer").encode("latin-1")) == image.layer_digest
