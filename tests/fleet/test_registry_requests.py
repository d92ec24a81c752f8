# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the gate and Apache answer to good requests and to bad ones, over real TLS."""

from __future__ import annotations

import json

import pytest

from ansible_collections.fleet.certs_d.tests.fleet.registries import (
    BESIDE,
    HOST,
    NAME,
    Answer,
    Fleet,
    Question,
    RequestAnswers,
)
from ansible_collections.fleet.certs_d.tests.fleet.registry_requests import REQUESTS
from ansible_collections.fleet.certs_d.tests.fleet.running import OnHost
from ansible_collections.fleet.certs_d.tests.unit.roles.registry.trees import MANIFEST

PORT = 5002
LOG = f"/var/log/apache2/certs-d-{NAME}_{PORT}"
WHAT_LIES_ELSEWHERE = (BESIDE.decode(), "root:x:0:0", "SSL_CLIENT")


@pytest.mark.parametrize("label", REQUESTS)
def test_each_request_gets_its_answer(request_answers: RequestAnswers, label: str) -> None:
    wanted = REQUESTS[label]
    nobody, good = request_answers[label]
    assert (nobody.outcome, good.outcome) == (wanted.nobody, wanted.good)


def test_no_answer_is_a_fault_of_the_server_or_comes_from_elsewhere(request_answers: RequestAnswers) -> None:
    for label, answers in request_answers.items():
        for answer in answers:
            assert 200 <= answer.status < 500, label
            assert answer.seconds < 15, label
            assert not any(text in answer.body + answer.head for text in WHAT_LIES_ELSEWHERE), label


def test_without_a_certificate_there_is_no_telling_what_exists(request_answers: RequestAnswers) -> None:
    for prefix in ("GET /v1/", "GET /v2/"):
        # All that the gate answers.
        told = {
            answers[0].what_it_tells
            for label, answers in request_answers.items()
            if label.startswith(prefix) and REQUESTS[label].nobody != REQUESTS[label].good
        }
        assert len(told) == 1
    elsewhere = [request_answers[f"GET /{path}"] for path in ("nope", "certs-d-tree/v1/_ping", "certs-d-tree/v1/nope")]
    assert len({answer.what_it_tells for answers in elsewhere for answer in answers}) == 1


def test_refusals_are_json_and_name_their_type(request_answers: RequestAnswers) -> None:
    for label, answers in request_answers.items():
        for answer in answers:
            if answer.status >= 400:
                assert answer.headers["content-type"] == "application/json", label


@pytest.mark.parametrize("reference", ["latest", "digest"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_manifest_has_its_exact_headers(registries: Fleet, method: str, reference: str) -> None:
    image = registries.images["team/tool"]
    reference = image.manifest_digest if reference == "digest" else reference
    (answer,) = registries.ask(Question(PORT, "good", f"/v2/team/tool/manifests/{reference}", method))
    assert answer.status == 200
    assert answer.body.encode("latin-1") == (image.manifest if method == "GET" else b"")
    assert {name: answer.headers[name] for name in ("content-type", "content-length", "etag")} == {
        "content-type": f"application/{MANIFEST}",
        "content-length": str(len(image.manifest)),
        "etag": f'"{image.manifest_digest}"',
    }
    assert answer.headers["docker-content-digest"] == image.manifest_digest
    assert answer.headers["docker-distribution-api-version"] == "registry/2.0"
    assert "last-modified" not in answer.headers


def test_a_blob_comes_whole_in_parts_and_not_at_all(registries: Fleet) -> None:
    image = registries.images["app"]
    path, size = f"/v2/app/blobs/{image.layer_digest}", len(image.layer)

    def ask(*headers: str) -> Answer:
        (answer,) = registries.ask(Question(PORT, "good", path, headers=["Accept-Encoding: gzip, br", *headers]))
        return answer

    whole = ask()
    assert (whole.status, whole.body.encode("latin-1")) == (200, image.layer)
    assert whole.headers["content-type"] == "application/octet-stream"
    assert whole.headers["content-length"] == str(size)
    assert whole.headers["docker-content-digest"] == image.layer_digest
    assert "content-encoding" not in whole.headers
    part = ask("Range: bytes=100-", f'If-Range: "{image.layer_digest}"')
    assert (part.status, part.headers["content-range"]) == (206, f"bytes 100-{size - 1}/{size}")
    assert part.body.encode("latin-1") == image.layer[100:]
    assert ask("Range: bytes=100-", 'If-Range: "another"').status == 200
    assert ask(f"Range: bytes={size}-").outcome == "416 requested range not satisfiable"
    unchanged = ask(f'If-None-Match: "{image.layer_digest}"')
    assert (unchanged.status, unchanged.body) == (304, "")
    assert ask("If-Modified-Since: Fri, 01 Jan 2100 00:00:00 GMT").status == 200


@pytest.mark.parametrize(
    "header", ["If-None-Match: *", 'If-Match: "x"', "If-Unmodified-Since: Thu, 01 Jan 1970 00:00:00 GMT"]
)
def test_what_has_no_digest_is_sent_on_all_conditions(registries: Fleet, header: str) -> None:
    """Apache's own idea of what has changed is not asked: its answer would tell where the gate leads."""
    v1_id = registries.images["app"].v1_id
    paths = ("/v2/app/tags/list", "/v2/_catalog", "/v1/_ping", f"/v1/images/{v1_id}/json", f"/v1/images/{v1_id}/layer")
    for answer in registries.ask(*(Question(PORT, "good", path, headers=[header]) for path in paths)):
        assert (answer.status, answer.headers.get("location"), answer.headers.get("vary")) == (200, None, None)


def test_a_list_comes_in_pages(registries: Fleet) -> None:
    pages, path = [], "/v2/_catalog?n=2"
    while path:
        (answer,) = registries.ask(Question(PORT, "good", path))
        pages.append(json.loads(answer.body)["repositories"])
        path = answer.headers.get("link", "").partition(">")[0].removeprefix("<")
    assert pages == [["app", "other/tool"], ["team/tool"]]


def test_v1_has_the_headers_of_the_document(registries: Fleet) -> None:
    image = registries.images["app"]
    paths = ("_ping", "repositories/app/images", f"images/{image.v1_id}/json", f"images/{image.v1_id}/layer")
    for answer in registries.ask(*(Question(PORT, "good", f"/v1/{path}") for path in paths)):
        assert answer.status == 200
        assert answer.headers["x-docker-endpoints"] == f"{NAME}:{PORT}"
        assert answer.headers["x-docker-size"] == "0"
        assert answer.headers["x-docker-registry-version"] == "0.6.2"
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.body.encode("latin-1") == image.layer


@pytest.mark.parametrize("path", ["/v2/app/tags/list", "/v2/_catalog", "/v1/repositories/app/images"])
def test_a_list_is_no_entity_and_shows_no_path_of_the_gate(registries: Fleet, path: str) -> None:
    (answer,) = registries.ask(Question(PORT, "good", path, headers=["If-None-Match: *"]))
    assert (answer.status, "location" in answer.headers) == (200, False)


def test_the_logs_name_the_certificate_of_what_apache_sent(registries: Fleet, on: OnHost) -> None:
    path = f"/v2/app/blobs/{registries.images['app'].layer_digest}"
    on(HOST, f"truncate --size 0 {LOG}_access.log")
    before = len(decisions(on))
    registries.ask(
        Question(PORT, "good", path),
        Question(PORT, "good", path, headers=["Range: bytes=9-"]),
        Question(PORT, "", path),
    )
    fields = [line.split()[3:5] for line in on(HOST, f"cat {LOG}_access.log").splitlines()]
    fingerprint = registries.material.fingerprint("good")
    assert fields == [[fingerprint, "200"], [fingerprint, "206"], ["-", "403"]]
    told = [line.split(" subject=")[1] for line in decisions(on)[before:]]
    who = f'"CN=good" fingerprint={fingerprint}'
    why = 'decision=yes reason="client certificate is signed by a CA of this registry"'
    assert told == [
        *[f'{who} {why} request="GET {path}"'] * 2,
        f'"-" fingerprint=- decision=no reason="no client certificate was presented" request="GET {path}"',
    ]


def decisions(on: OnHost) -> list[str]:
    """What the gate has logged of this registry."""
    return [
        line
        for line in on(HOST, "cat /var/log/apache2/error.log").splitlines()
        if f"gate: registry={NAME}:{PORT} " in line
    ]


def test_nobody_writes_a_fingerprint_into_the_access_log(registries: Fleet, on: OnHost) -> None:
    forged = "00:" * 31 + "00"
    on(HOST, f"truncate --size 0 {LOG}_access.log")
    registries.ask(
        Question(PORT, "", f"/certs-d-tree/v1/_ping?{forged}"),
        Question(PORT, "", "/v2/", headers=[f"X-Certs-D-Fingerprint: {forged}"]),
    )
    assert [line.split()[3] for line in on(HOST, f"cat {LOG}_access.log").splitlines()] == ["-", "-"]


def test_plain_http_is_a_bad_request(on: OnHost, registries: Fleet) -> None:
    program = (
        "import socket; s = socket.create_connection(('registry.lab', 5002), 9);"
        r"s.sendall(b'GET /v1/_ping HTTP/1.1\r\nHost: registry.lab\r\nConnection: close\r\n\r\n');"
        "print(s.makefile('rb').read().decode())"
    )
    said = on("node2", f'python3 -c "{program}"')
    assert said.startswith("HTTP/1.1 400 ")
    assert json.loads(said.split("\n\n")[-1])["errors"][0]["message"] == "bad request"


def test_rights_are_those_of_the_list(registries: Fleet) -> None:
    port = registries.by_policy["allowlist"].port
    other = registries.images["other/tool"]
    readable = ["app/tags/list", "team/tool/manifests/latest"]
    refused = [f"other/tool/blobs/{other.layer_digest}", "other/tool/tags/list", "nope/tags/list"]
    for certificate, paths in (("good", readable), ("named", [*readable, *refused[:2]])):
        answers = registries.ask(*(Question(port, certificate, f"/v2/{path}") for path in paths))
        assert {answer.outcome for answer in answers} == {"200"}
    answers = registries.ask(
        *(Question(port, "good", f"/v2/{path}") for path in refused),
        Question(port, "good", f"/v1/images/{other.v1_id}/layer"),
        Question(port, "good", "/v1/repositories/other/tool/images"),
    )
    assert {answer.outcome for answer in answers} == {"403 client certificate has no right to read this"}
    catalogs = registries.ask(*(Question(port, each, "/v2/_catalog") for each in ("good", "named")))
    assert [json.loads(each.body)["repositories"] for each in catalogs] == [
        ["app", "team/tool"],
        ["app", "other/tool", "team/tool"],
    ]
