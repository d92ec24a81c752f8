# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What runs on a node runs with every Python of this machine that a node may have."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import ssl
import subprocess
from pathlib import Path

import pytest
from ansible.release import __version__

from ansible_collections.fleet.certs_d.plugins.module_utils._executable_image import image_of_executable
from ansible_collections.fleet.certs_d.plugins.module_utils._image_source import image_at
from ansible_collections.fleet.certs_d.plugins.module_utils._pem import fingerprint
from ansible_collections.fleet.certs_d.tests.tools.pythons import interpreters
from ansible_collections.fleet.certs_d.tests.unit.adhoc import adhoc
from ansible_collections.fleet.certs_d.tests.unit.images import saved
from ansible_collections.fleet.certs_d.tests.unit.material import Issued, issue_server
from ansible_collections.fleet.certs_d.tests.unit.scripted_registry import Script, scripted_registry

NAME = "registry.lab:5000"
BUSYBOX = shutil.which("busybox") or "/bin/busybox"
# ansible-core 2.20 gave up 3.8 on nodes.
OLDEST = 8 if __version__.startswith("2.19.") else 9
FOUND = interpreters(range(OLDEST, 15))


def test_a_python_is_found() -> None:
    assert FOUND


@pytest.mark.parametrize("version", FOUND)
def test_layout_and_layout_info_run(tmp_path: Path, ca: Issued, client: Issued, version: str) -> None:
    pair = {"name": "10", "certificate": client.certificate, "private_key": client.private_key}
    roots = [{"name": "ca", "content": ca.certificate}]
    data = [{"name": NAME, "ca_certificates": roots, "client_pairs": [pair]}]
    python = ("-e", f"ansible_python_interpreter={FOUND[version]}")
    place = {"path": str(tmp_path / "certs.d"), "engines": ["containerd"]}
    first = adhoc("layout", tmp_path, *python, registries=data, fallback=True, **place)
    second = adhoc("layout", tmp_path, *python, registries=data, fallback=True, **place)
    assert (first["changed"], second["changed"]) == (True, False), first["output"]
    (told,) = adhoc("layout_info", tmp_path, *python, **place)["registries"]
    assert [each["subject"] for each in told["client_pairs"]] == ["CN=client"]
    assert told["findings"] == []


@pytest.mark.parametrize("version", FOUND)
def test_a_registry_that_nobody_serves_is_asked(tmp_path: Path, version: str) -> None:
    (tmp_path / "certs.d" / "127.0.0.1:1").mkdir(parents=True)
    python = ("-e", f"ansible_python_interpreter={FOUND[version]}")
    result = adhoc("verify_fallback", tmp_path, *python, path=str(tmp_path / "certs.d"), ask_engine=False)
    assert "Connection refused" in result["msg"]


# What a node runs, without Ansible between: the callback is private, so each Python is asked for itself.
LOOK = """
import json, sys, time
from datetime import datetime, timezone
from ansible_collections.fleet.certs_d.plugins.module_utils._engines import ENGINES
from ansible_collections.fleet.certs_d.plugins.module_utils._matrix import measure
from ansible_collections.fleet.certs_d.plugins.module_utils._measurement import Question
question = Question("/v2/", 10.0, time.monotonic() + 30, datetime.now(timezone.utc))
print(json.dumps(measure(sys.argv[1], [(ENGINES["docker"], sys.argv[2])], question)[0]))
"""


@pytest.mark.parametrize("tls", ["TLSv1.2", "TLSv1.3"])
@pytest.mark.parametrize("version", FOUND)
def test_what_a_server_asks_for_is_heard(tmp_path: Path, ca: Issued, client: Issued, version: str, tls: str) -> None:
    protocol = {"TLSv1.2": ssl.TLSVersion.TLSv1_2, "TLSv1.3": ssl.TLSVersion.TLSv1_3}[tls]
    script: Script = {fingerprint(client.der): 200, None: 403}
    server = issue_server(signer=ca)
    collections = Path(__file__).parents[5]
    told = scripted_registry(script, ca=ca, server=server, version=protocol, names=[ca], signatures="ECDSA+SHA256")
    with told as registry:
        home = tmp_path / registry.name
        home.mkdir()
        (home / "ca.crt").write_text(ca.certificate)
        (home / "10.cert").write_text(client.certificate)
        (home / "10.key").write_text(client.private_key)
        command = [FOUND[version], "-c", LOOK, registry.name, str(tmp_path)]
        surroundings = {**os.environ, "PYTHONPATH": str(collections)}
        run = subprocess.run(command, check=False, capture_output=True, text=True, env=surroundings)
    assert run.returncode == 0, run.stderr
    found = json.loads(run.stdout)
    assert [(row["pair"], row["status"]) for row in found["requests"]] == [("10", 200), (None, 403)]
    issuer = ca.x509.subject.public_bytes().hex()
    asks_for = found["measured"]["asks_for"]
    assert (asks_for["requested"], asks_for["tls"], asks_for["issuers"]) == (True, tls, [issuer])
    assert asks_for["signature_schemes"] == [0x0403]
    assert found["measured"]["pairs"][0]["issuers"] == [issuer]
    assert found["server"]["chain"][0]["fingerprint"] == fingerprint(server.der)
    assert [each["subject"] for each in found["server"]["chain"]] == ["CN=server", "CN=Test CA"]
    assert (found["server"]["v1"], found["server"]["v2"], found["server"]["name_fits"]) == (200, 200, True)


@pytest.mark.parametrize("version", FOUND)
def test_image_tree_makes_the_same_tree_with_all_of_them(tmp_path: Path, version: str) -> None:
    python = ("-e", f"ansible_python_interpreter={FOUND[version]}")
    place = {"path": str(tmp_path / "tree"), "repository": "app"}
    source = saved(tmp_path / "saved.tar", ["a", "b", "a"])
    first = adhoc("image_tree", tmp_path, *python, source=str(source), **place)
    second = adhoc("image_tree", tmp_path, *python, source=str(source), **place)
    assert (first["changed"], second["changed"]) == (True, False), first["output"]
    assert first["image"]["digest"] == image_at(str(source), reference=None).digest
    applets = subprocess.run(["busybox", "--list"], check=True, capture_output=True, text=True).stdout.split()
    made = adhoc("image_tree", tmp_path, *python, executable=BUSYBOX, **place)
    assert made["image"]["digest"] == image_of_executable(BUSYBOX, applets=applets).digest
    zipped = gzip.compress(source.read_bytes())
    source.write_bytes(zipped[: len(zipped) // 2])
    assert "cut off" in adhoc("image_tree", tmp_path, *python, source=str(source), **place)["msg"]
