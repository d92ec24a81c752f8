# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the matrix, against a real TLS server whose log is the oracle."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.fleet.certs_d.plugins.module_utils._engine_settings import Settings
from ansible_collections.fleet.certs_d.plugins.module_utils._engines import ENGINES
from ansible_collections.fleet.certs_d.plugins.module_utils._matrix import measure, winning_directory
from ansible_collections.fleet.certs_d.plugins.module_utils._measurement import Question
from ansible_collections.fleet.certs_d.plugins.module_utils._pem import fingerprint
from ansible_collections.fleet.certs_d.plugins.module_utils._request import NOT_ACCEPTED
from ansible_collections.fleet.certs_d.tests.unit.material import (
    NOW,
    Issued,
    issue,
    issue_ca,
    issue_client,
    issue_server,
)
from ansible_collections.fleet.certs_d.tests.unit.scripted_registry import (
    ScriptedRegistry,
    Trouble,
    scripted_registry,
)


def lay(root: Path, name: str, ca: Issued, **pairs: Issued) -> Path:
    """A host directory with these pairs."""
    home = root / name
    home.mkdir(parents=True)
    (home / "ca.crt").write_text(ca.certificate)
    for stem, pair in pairs.items():
        (home / f"{stem}.cert").write_text(pair.certificate)
        (home / f"{stem}.key").write_text(pair.private_key)
    return home


def question(timeout: float = 5, total: float = 60, **more: Any) -> Question:
    return Question("/v2/", timeout, time.monotonic() + total, NOW, **more)


def matrix(root: Path, registry: ScriptedRegistry | str, engine: str = "containers", **more: Any) -> dict[str, Any]:
    """What one engine's entry holds; not docker's, which asks a loopback once more."""
    name = registry if isinstance(registry, str) else registry.name
    (entry,) = measure(name, [(ENGINES[engine], str(root))], question(**more))
    return entry


def rows(entry: dict[str, Any]) -> list[tuple[str | None, int | None]]:
    return [(row["pair"], row["status"]) for row in entry["requests"]]


def test_each_pair_is_asked_with_once_in_file_name_order_and_then_none(
    tmp_path: Path, ca: Issued, client: Issued, other: Issued
) -> None:
    script = {fingerprint(client.der): 403, fingerprint(other.der): 200, None: 401}
    expired = issue("expired", signer=ca, not_before=NOW - timedelta(days=9), not_after=NOW - timedelta(days=2))
    with scripted_registry(script, ca=ca) as registry:
        lay(tmp_path, registry.name, ca, a=client, a_b=other, A=expired, b=client)
        found = matrix(tmp_path, registry)
        assert registry.asked() == [
            (None, "refused"),
            (fingerprint(client.der), 403),
            (fingerprint(other.der), 200),
            (fingerprint(client.der), 403),
            (None, 401),
        ]
        assert registry.asked("/v1/_ping")[1:] == [(fingerprint(other.der), 200)], "with the pair that gets in"
        assert len(set(registry.peers)) == 6
    assert rows(found) == [("A", None), ("a", 403), ("a_b", 200), ("b", 403), (None, 401)]
    assert [row["fingerprint"] for row in found["requests"]][1:3] == [fingerprint(client.der), fingerprint(other.der)]
    assert set(found["requests"][0]) == {"pair", "fingerprint", "status", "error", "seconds"}


def test_the_public_facts_of_each_pair_come_with_it(tmp_path: Path, ca: Issued, client: Issued) -> None:
    with scripted_registry({fingerprint(client.der): 200, None: 403}, ca=ca, names=[ca]) as registry:
        lay(tmp_path, registry.name, ca, a=client)
        found = matrix(tmp_path, registry)
    (facts,) = found["client_pairs"]
    assert (facts["name"], facts["subject"], facts["issuer"]) == ("a", "CN=client", "CN=Test CA")
    issuer = ca.x509.subject.public_bytes().hex()
    (pair,) = found["measured"]["pairs"]
    assert pair == {"name": "a", "key_kind": "P-256", "key_bits": 256, "issuers": [issuer]}
    assert found["measured"]["asks_for"]["issuers"] == [issuer]
    assert found["measured"]["files"] == ["a.cert", "a.key", "ca.crt"]
    assert "PRIVATE" not in str(found)


def test_without_pairs_one_request_goes_out_without_a_certificate(tmp_path: Path, ca: Issued) -> None:
    with scripted_registry({None: 403}, ca=ca) as registry:
        lay(tmp_path, registry.name, ca)
        found = matrix(tmp_path, registry)
        assert registry.asked() == [(None, 403)]
    assert [(row["pair"], row["fingerprint"], row["status"]) for row in found["requests"]] == [(None, None, 403)]


def test_without_a_host_directory_the_systems_roots_judge_the_server(tmp_path: Path, ca: Issued) -> None:
    with scripted_registry({None: 200}, ca=ca) as registry:
        found = matrix(tmp_path, registry)
        assert registry.answers() == [(None, "refused")]
    assert NOT_ACCEPTED in found["requests"][0]["error"]
    assert found["measured"]["trust"] == dict.fromkeys(["replacing", "adding"], found["requests"][0]["error"])
    assert found["server"]["chain"][0]["subject"] == "CN=server"
    assert found["findings"] == []


def test_a_fault_in_the_directory_keeps_no_sound_pair_from_being_asked_with(
    tmp_path: Path, ca: Issued, client: Issued, other: Issued
) -> None:
    with scripted_registry({fingerprint(client.der): 200, None: 403}, ca=ca) as registry:
        home = lay(tmp_path, registry.name, ca, a=client, b=other, c=other)
        (home / "b.key").unlink()
        (home / "c.key").write_text(client.private_key)
        found = matrix(tmp_path, registry)
    assert rows(found) == [("a", 200), (None, 403)]
    assert [finding["code"] for finding in found["findings"]] == ["key-missing", "key-mismatch"]
    assert str(home / "b.cert") in found["findings"][0]["message"]
    assert [pair["name"] for pair in found["client_pairs"]] == ["a", "b", "c"]
    assert [pair["name"] for pair in found["measured"]["pairs"]] == ["a"]


def test_a_certificate_that_holds_its_key_is_a_pair(tmp_path: Path, ca: Issued, client: Issued) -> None:
    with scripted_registry({fingerprint(client.der): 200, None: 403}, ca=ca) as registry:
        home = lay(tmp_path, registry.name, ca)
        (home / "a.cert").write_text(client.certificate + client.private_key)
        found = matrix(tmp_path, registry, "containerd")
    assert rows(found) == [("a", 200), (None, 403)]
    assert "PRIVATE" not in str(found)


def test_a_pair_under_two_names_is_asked_with_twice(tmp_path: Path, ca: Issued, client: Issued) -> None:
    with scripted_registry({fingerprint(client.der): 403, None: 403}, ca=ca) as registry:
        lay(tmp_path, registry.name, ca, a=client, b=client)
        assert rows(matrix(tmp_path, registry)) == [("a", 403), ("b", 403), (None, 403)]


def test_a_pair_of_rsa_with_1024_bits_is_asked_with(tmp_path: Path, ca: Issued) -> None:
    """OpenSSL refuses to load it at its own level; whether it gets in is the registry's word."""
    weak = issue_client(signer=ca, key_type="rsa1024")
    with scripted_registry({None: 200}, ca=ca) as registry:
        lay(tmp_path, registry.name, ca, a=weak)
        found = matrix(tmp_path, registry)
    assert rows(found) == [("a", None), (None, 200)]
    assert found["measured"]["pairs"][0]["key_bits"] == 1024
    assert found["findings"] == []


@pytest.mark.parametrize("name", ["", "..", "/", "a/b", "registry.lab:0", "registry.lab:70000", "a b", "registry"])
def test_under_a_name_that_is_none_nothing_is_read_or_asked(tmp_path: Path, name: str) -> None:
    for folder in (tmp_path, tmp_path / "root", tmp_path / "root" / "a b", tmp_path / "root" / "a" / "b"):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "orphan.key").touch()
    found = matrix(tmp_path / "root", name)
    assert [finding["code"] for finding in found["findings"]] == ["registry-name"]
    assert (found["requests"], found["server"], found["asked"]) == ([], None, None)


def test_an_entry_has_one_shape(tmp_path: Path, ca: Issued) -> None:
    with scripted_registry({None: 200}, ca=ca) as registry:
        lay(tmp_path, registry.name, ca)
        asked, unasked = matrix(tmp_path, registry), matrix(tmp_path, "..")
    assert set(asked) == set(unasked)
    assert set(asked["measured"]) == set(unasked["measured"])


def test_engines_that_read_one_directory_share_its_requests(tmp_path: Path, ca: Issued, client: Issued) -> None:
    with scripted_registry({fingerprint(client.der): 200, None: 403}, ca=ca) as registry:
        lay(tmp_path, registry.name, ca, a=client)
        roots = [(ENGINES[name], str(tmp_path)) for name in ("containers", "containerd")]
        first, second = measure(registry.name, roots, question())
        assert len(registry.asked()) == 2
    assert (first["engine"], second["engine"]) == ("containers", "containerd")
    assert first["requests"] == second["requests"]


def test_the_spelling_that_wins_is_read_and_the_other_is_told(tmp_path: Path, ca: Issued, client: Issued) -> None:
    with scripted_registry({fingerprint(client.der): 200, None: 403}, ca=ca) as registry:
        winner = lay(tmp_path, f"localhost_{registry.port}_", ca, a=client)
        loser = lay(tmp_path, registry.name, ca)
        found = matrix(tmp_path, registry, "containerd")
    assert (found["path"], rows(found)) == (str(winner), [("a", 200), (None, 403)])
    assert [(finding["code"], finding["place"]) for finding in found["findings"]] == [("shadowed", str(loser))]


@pytest.mark.parametrize(
    ("engine", "store", "wins"),
    [
        ("docker", None, "reg.lab_5000_"),
        ("docker", "containerd", "reg.lab_5000_"),
        ("docker", "classic", "reg.lab:5000"),
        ("containers", None, "reg.lab:5000"),
        ("containerd", None, "reg.lab_5000_"),
    ],
)
def test_the_directory_that_an_engine_reads(tmp_path: Path, engine: str, store: str | None, wins: str) -> None:
    for name in ("reg.lab_5000_", "_default"):
        (tmp_path / name).mkdir()
    found = winning_directory(ENGINES[engine], "reg.lab:5000", str(tmp_path), store=store)
    assert found == str(tmp_path / wins)


def test_the_default_directory_of_the_engines_own_root_comes_before_any_later_root(tmp_path: Path) -> None:
    own, later = tmp_path / "own", tmp_path / "later"
    engine = ENGINES["containerd"]._replace(root=str(own), later_roots=(str(later),))
    (later / "reg.lab:5000").mkdir(parents=True)
    assert winning_directory(engine, "reg.lab:5000", str(own), store=None) == str(later / "reg.lab:5000")
    (own / "_default").mkdir(parents=True)
    assert winning_directory(engine, "reg.lab:5000", str(own), store=None) == str(own / "_default")


def test_the_default_directory_is_read_last(tmp_path: Path) -> None:
    (tmp_path / "_default").mkdir()
    docker, name, root = ENGINES["docker"], "reg.lab:5000", str(tmp_path)
    assert winning_directory(ENGINES["containerd"], name, root, store=None) == str(tmp_path / "_default")
    assert winning_directory(docker, name, root, store="containerd") == str(tmp_path / "_default")
    assert winning_directory(docker, name, root, store=None) == str(tmp_path / name)


def test_docker_takes_a_loopback_for_insecure(tmp_path: Path, ca: Issued, client: Issued) -> None:
    with scripted_registry({fingerprint(client.der): 200, None: 403}, ca=ca) as registry:
        (tmp_path / registry.name).mkdir()
        found = matrix(tmp_path, registry, "docker")["measured"]
        others = matrix(tmp_path, registry)["measured"]
    assert (found["loopback"], found["insecure"], found["insecure_request"]["status"]) == (True, True, 403)
    assert not found["listed_insecure"]
    assert (others["loopback"], others["insecure"], others["insecure_request"]) == (True, False, None)
    assert NOT_ACCEPTED in found["trust"]["adding"]


def test_a_registry_of_plain_http_on_loopback_is_asked_so(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as plain:

        def serve() -> None:
            # Until the listener is closed.
            with contextlib.suppress(OSError):
                while True:
                    connection, _address = plain.accept()
                    with connection:
                        if connection.recv(1000).startswith(b"GET"):
                            connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")

        threading.Thread(target=serve, daemon=True).start()
        found = matrix(tmp_path, f"localhost:{plain.getsockname()[1]}", "docker")
    assert found["requests"][0]["error"] is not None
    assert found["measured"]["insecure_request"]["status"] == 200


def test_what_daemon_json_lists_is_insecure(tmp_path: Path, ca: Issued, monkeypatch: pytest.MonkeyPatch) -> None:
    with scripted_registry({None: 200}, ca=ca, server=issue_server(signer=ca, names=["reg.lab"])) as registry:
        here = socket.getaddrinfo("127.0.0.1", registry.port, type=socket.SOCK_STREAM)
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_options: here)
        settings = {"docker": Settings({}, (f"reg.lab:{registry.port}",))}
        found = matrix(tmp_path, f"reg.lab:{registry.port}", "docker", settings=settings)
    assert found["measured"]["insecure_request"]["status"] == 200
    assert found["measured"]["listed_insecure"]


def test_docker_io_is_asked_where_it_is_served(tmp_path: Path, ca: Issued, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = set()
    server = issue_server(signer=ca, names=["registry-1.docker.io"])
    (tmp_path / "docker.io").mkdir()
    (tmp_path / "docker.io" / "ca.crt").write_text(ca.certificate)
    with scripted_registry({None: 401}, ca=ca, server=server) as registry:
        here = socket.getaddrinfo("127.0.0.1", registry.port, type=socket.SOCK_STREAM)
        monkeypatch.setattr(socket, "getaddrinfo", lambda host, port, **_options: asked.add((host, port)) or here)
        found = matrix(tmp_path, "docker.io")
    assert asked == {("registry-1.docker.io", 443)}
    assert (found["name"], found["path"]) == ("docker.io", str(tmp_path / "docker.io"))
    assert (found["requests"][0]["status"], found["server"]["name_fits"]) == (401, True)


def test_trust_is_told_as_it_was_and_as_it_is(tmp_path: Path, ca: Issued, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "system.pem").write_text(ca.certificate)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "system.pem"))
    with scripted_registry({None: 200}, ca=ca) as registry:
        lay(tmp_path, registry.name, issue_ca("another"))
        found = matrix(tmp_path, registry)
    trust = found["measured"]["trust"]
    assert (trust["adding"], NOT_ACCEPTED in trust["replacing"]) == (None, True)
    assert (found["server"]["v1"], found["server"]["v2"], rows(found)) == (200, 200, [(None, 200)])


@pytest.mark.parametrize("trouble", ["reset", "close", "garbage", "hang", "trickle", "endless head"])
def test_trouble_costs_its_own_row(tmp_path: Path, ca: Issued, client: Issued, other: Issued, trouble: Trouble) -> None:
    script = {fingerprint(client.der): trouble, fingerprint(other.der): 200, None: 403}
    with scripted_registry(script, ca=ca) as registry:
        lay(tmp_path, registry.name, ca, a=client, b=other)
        found = matrix(tmp_path, registry, timeout=0.5)
    assert rows(found) == [("a", None), ("b", 200), (None, 403)]
    assert found["requests"][0]["error"]


def test_what_the_time_does_not_reach_is_told(tmp_path: Path, ca: Issued, client: Issued) -> None:
    with scripted_registry({fingerprint(client.der): "hang", None: 200}, ca=ca) as registry:
        lay(tmp_path, registry.name, ca, a=client)
        started = time.monotonic()
        found = matrix(tmp_path, registry, total=0.4)
        assert time.monotonic() - started < 2
    assert [str(row["error"])[:9] for row in found["requests"]] == ["no answer", "not asked"]
