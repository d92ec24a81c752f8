# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests to a registry, good ones and bad ones, and what they get without a certificate and with a good one."""

from __future__ import annotations

from typing import Any, NamedTuple

NO_CERTIFICATE = "403 no client certificate was presented"
ELSEWHERE = "403 requested access to the resource is denied"
NOT_ALLOWED = "405 only GET and HEAD are supported"
NOT_KNOWN = "404 not known to this registry"
NO_MANIFEST = "404 manifest unknown"
NO_BLOB = "404 blob unknown to registry"
BAD = "400 bad request"
TOO_LONG = "414 the path is too long"
NO_BODY = "413 a request has no body here"


class Request(NamedTuple):
    """How it is asked beside the path of its name, and the two outcomes."""

    nobody: str
    good: str
    question: dict[str, Any]


def _gate(good: str, **question: Any) -> Request:
    """What the gate answers: it looks at the certificate first."""
    return Request(NO_CERTIFICATE, good, question)


def _apache(outcome: str, **question: Any) -> Request:
    """What Apache answers by itself, to everybody alike."""
    return Request(outcome, outcome, question)


REQUESTS = {
    # What the tree has.
    "GET /v2/": _gate("200"),
    # It has no body that could tell why.
    "HEAD /v2/": Request("403", "200", {}),
    "GET /v2/app/manifests/latest": _gate("200"),
    "GET /v2/app/tags/list": _gate("200"),
    "GET /v2/_catalog": _gate("200"),
    "GET /v2/_catalog?n=1": _gate("200"),
    "GET /v2/_catalog?n=-1": _gate("400 n is to be a number, and last a name of the list"),
    "GET /v1/_ping": _gate("200"),
    "GET /v1/repositories/library/app/tags": _gate("200"),
    # What it has not, or does not give away.
    "GET /v2/app/manifests/nope": _gate(NO_MANIFEST),
    "GET /v2/nope/manifests/latest": _gate(NO_MANIFEST),
    f"GET /v2/app/blobs/sha256:{'0' * 64}": _gate(NO_BLOB),
    "GET /v2/app/manifests/outside": _gate(NO_MANIFEST),
    "GET /v2/app/manifests/beside": _gate(NO_MANIFEST),
    "GET /v1/.hidden": _gate(NOT_KNOWN),
    "GET /v1/%2ehidden": _gate(NOT_KNOWN),
    "GET /v2": _gate(NOT_KNOWN),
    # Traversal.
    "GET /v1/../secret": _apache(ELSEWHERE),
    "GET /v1/%2e%2e/secret": _apache(ELSEWHERE),
    "GET /v1/.%2e/secret": _apache(ELSEWHERE),
    "GET /v1/%252e%252e/secret": _gate(NOT_KNOWN),
    "GET /v1/..%2fsecret": _apache(NOT_KNOWN),
    "GET /v1/..%5csecret": _gate(NOT_KNOWN),
    "GET /v1/..;/secret": _gate(NOT_KNOWN),
    "GET /v1/....//secret": _gate(NOT_KNOWN),
    "GET /v1/%c0%ae%c0%ae/secret": _gate(NOT_KNOWN),
    "GET /../etc/passwd": _apache(BAD),
    "GET /v2/../../etc/passwd": _apache(BAD),
    "GET /v2/app/manifests/..%2f..%2f..%2fsecret": _apache(NOT_KNOWN),
    # Signs that mean something to a shell or a file system.
    "GET /v1/_ping%20/etc/passwd": _gate(NOT_KNOWN),
    "GET /v1/_ping%0a/etc/passwd": _gate(NOT_KNOWN),
    "GET /v1/_ping%0d%0aX-Evil:%201": _gate(NOT_KNOWN),
    "GET /v1/_ping%00": _apache(NOT_KNOWN),
    "GET /v1/_pin%3f": _gate(NOT_KNOWN),
    "GET /v1/*": _gate(NOT_KNOWN),
    "GET /v2/*/tags/list": _gate(NOT_KNOWN),
    "GET /v1/$(id)": _gate(NOT_KNOWN),
    "GET /v1/`id`": _gate(NOT_KNOWN),
    "GET /v1/--help": _gate(NOT_KNOWN),
    "GET /v1/%zz": _apache(BAD),
    # Other places of the server.
    "GET /": _apache(ELSEWHERE),
    "GET /icons/": _apache(ELSEWHERE),
    "GET /nope": _apache(ELSEWHERE),
    "GET /cgi-bin/cert.cgi": _apache(ELSEWHERE),
    "GET /cgi-bin/cert.cgi/v1/_ping": _apache(ELSEWHERE),
    "GET /cgi-bin/cert.cgi/etc/passwd": _apache(ELSEWHERE),
    "GET /certs-d-tree/": _apache(ELSEWHERE),
    "GET /certs-d-tree/v1/_ping": _apache(ELSEWHERE),
    "GET /certs-d-tree/v1/nope": _apache(ELSEWHERE),
    "GET /certs-d-tree/v1/_ping?aa:bb": _apache(ELSEWHERE),
    "GET //certs-d-tree/v1/_ping": _apache(ELSEWHERE),
    "GET /%63erts-d-tree/v1/_ping": _apache(ELSEWHERE),
    "GET /v1/../certs-d-tree/v1/_ping": _apache(ELSEWHERE),
    # Other methods, bodies, hosts, and no request at all.
    **{f"{method} /v2/app/manifests/latest": _apache(NOT_ALLOWED) for method in ("PUT", "DELETE", "PATCH", "POST")},
    "OPTIONS /v2/": _apache(NOT_ALLOWED),
    "TRACE /v2/": _apache(NOT_ALLOWED),
    "BREW /v2/": _apache(NOT_ALLOWED),
    "get /v2/": _apache(NOT_ALLOWED),
    "PUT /v2/app/manifests/latest with a body": _apache(
        NOT_ALLOWED, headers=["Content-Length: 100000"], body="x" * 100000
    ),
    # Apache reads a body to its end before it answers, and waits ten seconds for the next part.
    "PUT /v2/app/manifests/latest with a body that does not end": _apache(
        "408 the request took too long", headers=["Transfer-Encoding: chunked"], body="5\r\nhello\r\n"
    ),
    "GET /v2/ with a body": _apache(NO_BODY, headers=["Content-Length: 5"], body="hello"),
    "GET /v2/ with a body of one byte": _apache(NO_BODY, headers=["Content-Length: 1"], body="x"),
    "GET /v2/ with a body in chunks": _apache(
        NO_BODY, headers=["Transfer-Encoding: chunked"], body="1\r\nx\r\n0\r\n\r\n"
    ),
    "GET /v2/ for another host": _gate("200", host="other.example"),
    "GET /v2/ for no host": _apache(BAD, raw="GET /v2/ HTTP/1.1\r\n\r\n"),
    "GET /v1/ of 8,000 letters": _apache(ELSEWHERE, path=f"/v1/{'a' * 8000}"),
    "GET /v2/ of 4,000 directories": _apache(ELSEWHERE, path=f"/v2/{'a/' * 4000}tags/list"),
    "GET /v1/ of 10,000 letters": _apache(TOO_LONG, path=f"/v1/{'a' * 10000}"),
    "GET /v2/ with a header of 10,000 letters": _apache(BAD, headers=[f"X-Long: {'a' * 10000}"]),
    "GET /v2/ with 200 headers": _apache(BAD, headers=[f"X-{number}: 1" for number in range(200)]),
    "no request": _apache(BAD, raw="\x16\x03\x01 junk\r\n\r\n"),
    "an unknown version": _gate("200", raw="GET /v2/ HTTP/9.9\r\nHost: registry.lab\r\n\r\n"),
}


def question_of(label: str, request: Request) -> dict[str, Any]:
    """The fields of the question: method and path are in the label."""
    method, _blank, path = label.split(" with")[0].split(" for")[0].split(" of")[0].partition(" ")
    return {"method": method, "path": path, **request.question}
