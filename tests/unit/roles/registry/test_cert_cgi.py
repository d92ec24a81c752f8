# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The gate of the registry: the real script with the environment that Apache gives it."""

from __future__ import annotations

import hashlib
import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from ansible_collections.fleet.certs_d.tests.unit.material import Issued

GATE = Path(__file__).parents[4] / "roles/registry/files/cert.cgi"
REFUSED = "403 Client certificate invalid"
NOT_FOUND = "404 Not Found"


@dataclass(frozen=True)
class Answer:
    status: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Gate:
    """The script, with what Apache sets for a client that is let in."""

    environment: dict[str, str]

    def ask(self, path: str, **changes: str | None) -> Answer:
        environment = {**self.environment, "PATH_INFO": path, **changes}
        done = subprocess.run(
            [str(GATE)],
            env={name: value for name, value in environment.items() if value is not None},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=10,
            check=True,
        )
        head, _separator, body = done.stdout.partition(b"\n\n")
        headers = dict(line.split(": ", 1) for line in head.decode().splitlines())
        return Answer(headers.pop("Status"), headers, body)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    tree = tmp_path / "a tree"
    image = tree / "v1/images/abc"
    image.mkdir(parents=True)
    (image / "json").write_text('{"id":"abc"}')
    (image / "layer").write_bytes(bytes(range(256)) * 1000)
    (tree / "v1/_ping").write_text("true")
    (tree / "v1/.htpasswd").write_text("hidden")
    (tree / "secret").write_text("secret")
    (tree / "v1/link").symlink_to(tree / "secret")
    (tree / "v12").mkdir()
    (tree / "v12/near").write_text("near")
    return tree


@pytest.fixture
def gate(tree: Path, client: Issued) -> Gate:
    return Gate(
        {
            "CERTS_D_NAME": "registry.lab:5000",
            "CERTS_D_POLICY": "signed_by_ca",
            "CERTS_D_TREE": str(tree),
            "HTTPS": "on",
            "REDIRECT_STATUS": "200",
            "REQUEST_METHOD": "GET",
            "SSL_CLIENT_CERT": client.x509.public_bytes(Encoding.PEM).decode(),
            "SSL_CLIENT_VERIFY": "SUCCESS",
        }
    )


@pytest.fixture
def fingerprint(client: Issued) -> str:
    return hashlib.sha256(client.x509.public_bytes(Encoding.DER)).digest().hex(":")


def test_a_file_of_the_tree_comes_with_the_headers_of_the_document(gate: Gate) -> None:
    answer = gate.ask("/v1/images/abc/json")
    assert (answer.status, answer.body) == ("200 OK", b'{"id":"abc"}')
    assert answer.headers["Content-Length"] == "12"
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["x-docker-registry-version"] == "0.6.2"
    assert answer.headers["X-Docker-Endpoints"] == "registry.lab:5000"
    assert answer.headers["X-Docker-Size"] == "0"


def test_a_layer_is_served_byte_for_byte(gate: Gate, tree: Path) -> None:
    answer = gate.ask("/v1/images/abc/layer")
    assert answer.body == (tree / "v1/images/abc/layer").read_bytes()
    assert answer.headers["Content-Length"] == str(len(answer.body))
    assert answer.headers["Content-Type"] == "application/octet-stream"


def test_v2_answers_today_s_clients(gate: Gate) -> None:
    answer = gate.ask("/v2/")
    assert (answer.status, answer.body) == ("200 OK", b"{}")
    assert answer.headers["Docker-Distribution-Api-Version"] == "registry/2.0"
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Content-Length"] == "2"


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/v2/busybox/manifests/latest", "MANIFEST_UNKNOWN"),
        ("/v2/busybox/blobs/sha256:00", "BLOB_UNKNOWN"),
        ("/v2/_catalog", "NAME_UNKNOWN"),
        ("/v2", "NAME_UNKNOWN"),
    ],
)
def test_what_v2_does_not_know_is_an_error_of_the_distribution_specification(gate: Gate, path: str, code: str) -> None:
    answer = gate.ask(path)
    assert answer.status == NOT_FOUND
    assert [each["code"] for each in json.loads(answer.body)["errors"]] == [code]
    assert answer.headers["Content-Length"] == str(len(answer.body))


@pytest.mark.parametrize("path", ["/v1/_ping", "/v1/images/abc/layer", "/v2/", "/v2/x", "/v1/nope"])
def test_head_has_the_headers_of_get_and_no_body(gate: Gate, path: str) -> None:
    got, head = gate.ask(path), gate.ask(path, REQUEST_METHOD="HEAD")
    assert (head.status, head.headers, head.body) == (got.status, got.headers, b"")


@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE", "PATCH", "OPTIONS", "get", "", None])
def test_other_methods_are_not_allowed(gate: Gate, method: str | None) -> None:
    assert gate.ask("/v1/_ping", REQUEST_METHOD=method).status == "405 Method Not Allowed"


@pytest.mark.parametrize("https", ["off", "", None])
def test_without_tls_the_document_s_reason_is_given(gate: Gate, https: str | None) -> None:
    answer = gate.ask("/v1/_ping", HTTPS=https)
    assert answer.status == "403 Not using SSL"
    assert answer.headers["x-docker-registry-version"] == "0.6.2"


@pytest.mark.parametrize("path", ["/v1/_ping", "/v1/nope", "/v1/../secret", "/v2/", "/v2/x", "/other", ""])
@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_without_a_certificate_nothing_tells_whether_a_path_exists(gate: Gate, path: str, method: str) -> None:
    answer = gate.ask(path, SSL_CLIENT_CERT=None, SSL_CLIENT_VERIFY="NONE", REQUEST_METHOD=method)
    assert answer.status == REFUSED
    assert "X-Certs-D-Fingerprint" not in answer.headers


@pytest.mark.parametrize("verify", ["NONE", "GENEROUS", "FAILED:self-signed certificate", "success", "", None])
def test_signed_by_ca_lets_nobody_in_but_success(gate: Gate, verify: str | None) -> None:
    assert gate.ask("/v1/_ping", SSL_CLIENT_VERIFY=verify).status == REFUSED


@pytest.mark.parametrize("verify", ["SUCCESS", "GENEROUS", "FAILED:self-signed certificate"])
def test_any_certificate_lets_in_who_presents_one(gate: Gate, verify: str) -> None:
    assert gate.ask("/v1/_ping", CERTS_D_POLICY="any_certificate", SSL_CLIENT_VERIFY=verify).status == "200 OK"


@pytest.mark.parametrize("verify", ["NONE", "", None])
def test_any_certificate_lets_nobody_in_of_whom_apache_knows_no_certificate(gate: Gate, verify: str | None) -> None:
    assert gate.ask("/v1/_ping", CERTS_D_POLICY="any_certificate", SSL_CLIENT_VERIFY=verify).status == REFUSED


@pytest.mark.parametrize("policy", ["any_certificate", "signed_by_ca"])
@pytest.mark.parametrize(
    "certificate",
    [
        None,
        "",
        "junk",
        "-----BEGIN CERTIFICATE-----\n",
        "-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n",
    ],
)
def test_no_policy_lets_in_without_a_whole_certificate(gate: Gate, policy: str, certificate: str | None) -> None:
    assert gate.ask("/v1/_ping", CERTS_D_POLICY=policy, SSL_CLIENT_CERT=certificate).status == REFUSED


@pytest.mark.parametrize("policy", [None, "", "allow", "SIGNED_BY_CA", "*"])
def test_an_unknown_policy_lets_nobody_in(gate: Gate, policy: str | None) -> None:
    assert gate.ask("/v1/_ping", CERTS_D_POLICY=policy).status == REFUSED


@pytest.mark.parametrize("root", [None, "", "/nowhere"])
def test_without_a_tree_nothing_is_found(gate: Gate, root: str | None) -> None:
    assert gate.ask("/v1/_ping", CERTS_D_TREE=root).status == NOT_FOUND


@pytest.mark.parametrize("status", [None, "", "403"])
def test_a_direct_call_finds_nothing(gate: Gate, status: str | None) -> None:
    assert gate.ask("/v1/_ping", REDIRECT_STATUS=status).status == NOT_FOUND


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "/v1",
        "/v1/",
        "/v1/nope",
        "/v1/images",
        "/v1/images/abc",
        "/v1/_ping/",
        "/v1/_ping/x",
        "/v1/../secret",
        "/v1/images/../../secret",
        "/v1/../v12/near",
        "/v12/near",
        "/secret",
        "/v1/link",
        "/v1/.htpasswd",
        "/v1/./_ping",
        "/v1/_ping\n",
        "/v1/_ping\r\nX-Evil: 1",
        "/v1/_ping /etc/passwd",
        "/v1/_pin?",
        "/v1/*",
        "/v1/[_]ping",
        "/v1/$(id)",
        "/v1/`id`",
        "/v1/--help",
        "/v1/" + "a" * 300,
        "/v1/" + "a/" * 4000,
        "/v1/\\..\\..\\secret",
        "/etc/passwd",
    ],
)
def test_what_is_no_regular_file_of_the_tree_is_not_found(gate: Gate, path: str) -> None:
    answer = gate.ask(path)
    assert answer.status == NOT_FOUND
    assert json.loads(answer.body) == {"error": "not known to this registry"}


def test_a_name_with_a_blank_is_one_name(gate: Gate, tree: Path) -> None:
    (tree / "v1/a b").write_text("c")
    assert gate.ask("/v1/a b").body == b"c"


@pytest.mark.parametrize("path", ["/v1/_ping", "/v1/nope", "/v2/"])
def test_the_fingerprint_goes_to_the_log(gate: Gate, fingerprint: str, path: str) -> None:
    assert gate.ask(path).headers["X-Certs-D-Fingerprint"] == fingerprint


def test_the_fingerprint_of_a_refused_certificate_goes_to_the_log(gate: Gate, fingerprint: str) -> None:
    answer = gate.ask("/v1/_ping", SSL_CLIENT_VERIFY="FAILED:x")
    assert (answer.status, answer.headers["X-Certs-D-Fingerprint"]) == (REFUSED, fingerprint)


@pytest.mark.parametrize("status", ["403", "503"])
def test_tests_can_have_a_certificate_refused(gate: Gate, fingerprint: str, status: str) -> None:
    answers = f"{'00:' * 31}00=500 {fingerprint}={status}"
    assert gate.ask("/v2/", CERTS_D_TEST_ANSWERS=answers).status == f"{status} Test answer"
    assert gate.ask("/v2/", CERTS_D_TEST_ANSWERS=f"{'00:' * 31}00=500").status == "200 OK"


def test_no_test_answer_lets_anybody_in(gate: Gate, fingerprint: str) -> None:
    wanted = {"CERTS_D_TEST_ANSWERS": f"{fingerprint}=200"}
    assert gate.ask("/v1/_ping", SSL_CLIENT_VERIFY="NONE", **wanted).status == REFUSED
    assert gate.ask("/v1/nope", **wanted).status == NOT_FOUND
