# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""image_tree with what skopeo makes, and skopeo with what image_tree makes."""

from __future__ import annotations

import functools
import http.server
import json
import os
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.fleet.certs_d.plugins.module_utils._image_files import files_at
from ansible_collections.fleet.certs_d.plugins.module_utils._image_source import image_at
from ansible_collections.fleet.certs_d.plugins.module_utils._oci_image import (
    DOCKER_MANIFEST,
    OCI_INDEX,
    Image,
    digest_of,
    platforms,
)
from ansible_collections.fleet.certs_d.tests.unit.adhoc import adhoc
from ansible_collections.fleet.certs_d.tests.unit.images import Layout, lay, layer, multi_platform
from lab.system import need


def skopeo(*arguments: str | Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    done = subprocess.run(
        ["skopeo", "--insecure-policy", *arguments], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="session", autouse=True)
def tools() -> None:
    need("skopeo", packages=["skopeo"])


@pytest.fixture
def layout(tmp_path: Path) -> Path:
    """An image of two layers, with gzip, as registries have them."""
    made = Layout()
    made.list(made.image("a", "b", layer_type="application/vnd.oci.image.layer.v1.tar+gzip"))
    return lay(tmp_path / "layout", made.files)


def diff_ids(image: Image) -> list[str]:
    (config,) = image.configs.values()
    ids: list[str] = json.loads(config)["rootfs"]["diff_ids"]
    return ids


@pytest.mark.parametrize("transport", ["oci", "oci-archive"])
def test_what_skopeo_copies_is_the_same_image(tmp_path: Path, layout: Path, transport: str) -> None:
    skopeo("copy", f"oci:{layout}", f"{transport}:{tmp_path}/copy:busybox:1")
    image = image_at(str(tmp_path / "copy"), reference="busybox:1")
    assert diff_ids(image) == [digest_of(layer(each)) for each in "ab"]
    assert image.digest == image_at(str(layout), reference=None).digest


def test_what_skopeo_saves_for_docker_is_the_same_image(tmp_path: Path, layout: Path) -> None:
    skopeo("copy", f"oci:{layout}", f"docker-archive:{tmp_path}/saved.tar:docker.io/library/busybox:1")
    assert files_at(str(tmp_path / "saved.tar")).fault("index.json")
    image = image_at(str(tmp_path / "saved.tar"), reference="busybox:1")
    assert [each.digest for each in image.root.layers] == [digest_of(layer(each)) for each in "ab"]
    skopeo("copy", f"docker-archive:{tmp_path}/saved.tar", f"oci:{tmp_path}/back")
    assert diff_ids(image_at(str(tmp_path / "back"), reference=None)) == diff_ids(image)


class Registry(http.server.SimpleHTTPRequestHandler):
    """The least that a registry is: files, with the type of a manifest by its directory."""

    def guess_type(self, path: Any) -> str:
        folder = Path(path).resolve().parent
        return f"application/{folder.name}" if folder.parent.name == "manifests" else "application/octet-stream"

    def do_GET(self) -> None:
        if self.path == "/v2/":
            self.send_response(200)
            self.end_headers()
        else:
            super().do_GET()

    def log_message(self, *_arguments: Any) -> None:
        pass


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[str]:
    """The address of a registry that serves the tree, beginning where Apache's gate would."""
    handler = functools.partial(Registry, directory=str(tmp_path / "tree"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()


def put(tmp_path: Path, **options: str) -> dict[str, Any]:
    result = adhoc("image_tree", tmp_path, path=str(tmp_path / "tree"), **options)
    assert result["changed"], result["output"]
    image: dict[str, Any] = result["image"]
    return image


@pytest.mark.parametrize("zipped", [False, True])
def test_skopeo_pulls_every_platform_from_the_tree(tmp_path: Path, registry: str, zipped: bool) -> None:
    made = Layout()
    made.list(multi_platform(made, "m"))
    source = lay(tmp_path / "layout", made.files)
    packed = tmp_path / "images.tar"
    subprocess.run(["tar", *(["-z"] if zipped else []), "-C", source, "-cf", packed, "."], check=True)
    image = put(tmp_path, repository="team/app/web", tag="1", source=str(packed))
    assert image["media_type"] == OCI_INDEX
    origin = f"docker://{registry}/team/app/web"
    for name in (":1", f"@{image['digest']}"):
        target = tmp_path / name.strip(":@").replace(":", "-")
        skopeo("copy", "--src-tls-verify=false", "--override-arch=arm64", origin + name, f"oci:{target}")
        assert platforms(image_at(str(target), reference=None)) == ["linux/arm64"]


def test_skopeo_pulls_the_executable_and_docker_s_manifests_from_the_tree(tmp_path: Path, registry: str) -> None:
    image = put(tmp_path, repository="busybox", executable="/bin/busybox")
    skopeo("copy", "--src-tls-verify=false", f"docker://{registry}/busybox", f"oci:{tmp_path}/busybox")
    (config,) = image_at(str(tmp_path / "busybox"), reference=None).configs.values()
    assert json.loads(config)["os"] == "linux"
    assert image["v1"]["id"]
    made = Layout()
    made.list(made.image("d", media_type=DOCKER_MANIFEST))
    image = put(tmp_path, repository="busybox/d", source=str(lay(tmp_path / "docker", made.files)))
    skopeo("copy", "--src-tls-verify=false", f"docker://{registry}/busybox/d", f"dir:{tmp_path}/d")
    assert digest_of((tmp_path / "d/manifest.json").read_bytes()) == image["digest"]
