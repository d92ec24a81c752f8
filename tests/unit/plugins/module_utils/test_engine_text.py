# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of engines' texts: each that names an engine was said by it."""

from __future__ import annotations

import pytest

from ansible_collections.fleet.certs_d.plugins.module_utils._engine_text import (
    ctr_was_let_in,
    fault_of,
    shown,
    status_told,
)

PAGE = (
    '<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 4.01//EN" "http://www.w3.org/TR/html4/strict.dtd">\n<html><head>\n'
    "<title>{}</title>\n</head><body>\n<h1>Forbidden</h1>\n<address>Apache Server at registry.lab Port 5000</address>\n"
    "</body></html>\n"
)
MANIFEST = "https://registry.lab:5000/v2/fleet-certs-d/none/manifests/none"
SKOPEO = "pinging container registry registry.lab:5000: "
QUOTED = r"\"<!DOCTYPE HTML PUBLIC \\\"-//W3C//DTD HTML 4.01//EN\\\" ...\""


@pytest.mark.parametrize(
    ("text", "status"),
    [
        # dockerd 20.10, 26.1, 28.5
        (f"error parsing HTTP 403 response body: invalid character '<' looking for beginning of value: {PAGE}", 403),
        (f"error parsing HTTP 404 response body: invalid character '<' looking for beginning of value: {PAGE}", 404),
        ("denied: " + PAGE.format("403 Forbidden"), 403),
        ("unauthorized: " + PAGE.format("401 Unauthorized"), 401),
        ("unknown: " + PAGE.format("404 Not Found"), 404),
        ("unauthorized: authentication required", 401),
        ("manifest unknown: manifest unknown", 200),
        ("received unexpected HTTP status: 503 Service Unavailable", 503),
        ('Get "https://registry.lab:5000/v2/": remote error: tls: expired certificate', None),
        (
            f'unknown: failed to resolve reference "r": unexpected status from HEAD request to {MANIFEST}: 403 No',
            403,
        ),
        ('failed to resolve reference "r/none@sha256:00": r/none@sha256:00: not found', 200),
        ("missing key 10-a.key for client certificate 10-a.cert. CA certificates must use the extension .crt", None),
        # skopeo and podman
        (f'{SKOPEO}StatusCode: 403, "{QUOTED}"', 403),
        (f'{SKOPEO}StatusCode: 404, "{QUOTED}"', 404),
        (f"{SKOPEO}received unexpected HTTP status: 503 Service Unavailable", 503),
        ("reading manifest none in registry.lab:5000/fleet-certs-d/none: manifest unknown", 200),
        ("reading manifest none in registry.lab:5000/fleet-certs-d/none: authentication required", 401),
        ("reading manifest none in r: name unknown: repository name not known to registry", 200),
        ("Requesting bearer token: invalid status code from registry 403 (Forbidden)", 403),
        ("open /etc/containers/certs.d/r/10.key: permission denied", None),
        # ctr 1.6, 1.7, 2.1
        (f"unexpected status from HEAD request to {MANIFEST}: 401 Unauthorized", 401),
        (f"unexpected status from HEAD request to {MANIFEST.replace('5000', '403')}: 500 Internal", 500),
        ("registry.lab:5000/fleet-certs-d/none:none: not found", 200),
        # others
        ("denied: requested access to the resource is denied", 403),
        ("unauthorized: repository library/none not found", 401),
        ("authorization denied by plugin opa", None),
        ("dial tcp: lookup registry.lab: no such host", None),
        ("dial tcp: lookup registry.lab: not found", None),
        ("dial tcp: lookup registry.lab on 10.0.0.2:53: not found", None),
        ("tls: failed to verify certificate: x509: issuer: not found", None),
        ("/etc/containerd/certs.d/registry.lab:5000/ca.crt: not found", None),
        ('exec: "/usr/bin/docker-credential-x:y": not found', None),
        ("failed to get snapshotter overlayfs: not found", None),
        ("ctr: registry.lab:5000: not found", None),
        ("[fd00::1]:5000/a/b@sha256:00: not found", 200),
        (f"content at {MANIFEST} not found: not found", 200),
        ("", None),
    ],
)
def test_the_status_is_told_by_the_text(text: str, status: int | None) -> None:
    assert status_told(text) == status


def test_the_fault_is_the_last_thing_said_without_the_log() -> None:
    time = 'time="2026-11-27T10:44:30Z" level='
    fatal = r"Error parsing image name \"docker://r/i:t\": manifest unknown"
    assert fault_of(f'{time}warning msg="other"\n{time}fatal msg="{fatal}"\n') == (
        'Error parsing image name "docker://r/i:t": manifest unknown'
    )
    assert fault_of(f'{time}fatal msg="odd \\x01"') == "odd \\x01"
    assert fault_of(f'{time}warning msg="old"\nError: reading image "r": denied\n') == 'reading image "r": denied'
    assert fault_of(f'{time}info msg="trying next host"\nctr: r: not found\n\n') == "r: not found"
    assert fault_of("panic\nlast\n") == "last"
    assert fault_of("") == ""


@pytest.mark.parametrize(
    ("line", "let_in"),
    [
        ('level=info msg="trying next host - response was http.StatusNotFound" host="r"', True),
        ('level=info msg="fetch failed after status: 404 Not Found" host="r"', True),
        ('level=info msg="trying next host after status: 403 Forbidden" host="r"', False),
    ],
)
def test_a_host_that_does_not_know_the_image_lets_ctr_in(line: str, let_in: bool) -> None:
    last = f"ctr: unexpected status from HEAD request to {MANIFEST}: 403 Forbidden"
    assert ctr_was_let_in(f"{line}\n{last}\n") is let_in


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "denied: " + PAGE.format("403 Forbidden"),
            "denied: 403 Forbidden Forbidden Apache Server at registry.lab Port 5000",
        ),
        ("invalid character '<' looking", "invalid character '<' looking"),
        ("a\n b\\n\tc", "a b c"),
        ("xx" + " y" * 400 + ": why", "xx" + " y" * 59 + "…" + "y " * 137 + "y: why"),
        (f"sha256:{'0a' * 32}: not found", f"sha256:{'0a' * 32}: not found"),
    ],
)
def test_a_text_is_shown_on_one_short_line(text: str, words: str) -> None:
    assert shown(text) == words


SECRET = "c2VjcmV0" * 8


@pytest.mark.parametrize(
    "text",
    [
        f"junk: -----BEGIN EC PRIVATE KEY-----\n{SECRET}\n-----END EC PRIVATE KEY-----",
        f"junk: -----BEGIN PRIVATE KEY-----\n{SECRET[:20]}",
        f"line 3: {SECRET}",
        f"proxy http://user:{SECRET[:20]}@proxy.example failed",
        f"header Authorization: Bearer {SECRET[:20]} refused",
    ],
)
def test_no_text_shows_a_secret(text: str) -> None:
    assert SECRET[:20] not in shown(text)
