# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of one request, against a real TLS server whose log is the oracle."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path

import pytest

from ansible_collections.fleet.certs_d.plugins.module_utils import _request
from ansible_collections.fleet.certs_d.plugins.module_utils._pem import fingerprint
from ansible_collections.fleet.certs_d.plugins.module_utils._registry_name import parse_registry_name
from ansible_collections.fleet.certs_d.plugins.module_utils._request import NOT_ACCEPTED, Answer, Trust, ask
from ansible_collections.fleet.certs_d.tests.unit.material import (
    NOW,
    SERVER,
    Issued,
    issue,
    issue_ca,
    issue_client,
    issue_server,
)
from ansible_collections.fleet.certs_d.tests.unit.scripted_registry import Trouble, scripted_registry

BOTH_VERSIONS = pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])


def send(
    name: str,
    *,
    roots: Iterable[Issued | str] = (),
    pair: Issued | None = None,
    path: str = "/v2/",
    timeout: float = 10,
    replaces: bool = False,
) -> Answer:
    """Ask with the pair."""
    return ask(
        parse_registry_name(name),
        path,
        trust=Trust(
            [root.encode() if isinstance(root, str) else root.certificate.encode() for root in roots], replaces
        ),
        pair=None if pair is None else (pair.certificate.encode(), pair.private_key.encode()),
        timeout=timeout,
    )


@BOTH_VERSIONS
@pytest.mark.parametrize("status", [200, 204, 302, 401, 403, 404, 418, 500, 503, 600])
def test_the_status_is_what_the_server_answers_to_the_pair(
    ca: Issued, client: Issued, status: int, version: ssl.TLSVersion
) -> None:
    with scripted_registry({fingerprint(client.der): status}, ca=ca, version=version) as registry:
        answer = send(registry.name, roots=[ca], pair=client)
        assert answer[:2] == (status, None)
        assert registry.answers() == [(fingerprint(client.der), status)]


def test_without_a_pair_no_certificate_is_presented(ca: Issued) -> None:
    with scripted_registry({None: 403}, ca=ca) as registry:
        assert send(registry.name, roots=[ca]).status == 403
        assert registry.answers() == [(None, 403)]


def test_path_and_host_are_asked_as_they_were_given(ca: Issued) -> None:
    with scripted_registry({None: 200}, ca=ca) as registry:
        send(registry.name, roots=[ca], path="/v1/_ping?a=b")
        assert registry.log[0][2:] == ("GET /v1/_ping?a=b HTTP/1.1", registry.name)


@pytest.mark.parametrize("name", ["registry.example", "registry.example:80", "registry.example:443", "[::1]:80"])
def test_the_host_header_is_the_name_with_the_port_that_it_spells(
    ca: Issued, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = issue_server(signer=ca, names=["registry.example", "::1"])
    with scripted_registry({None: 200}, ca=ca, server=server) as registry:
        here = socket.getaddrinfo("127.0.0.1", registry.port, type=socket.SOCK_STREAM)
        asked: list[tuple[object, object]] = []
        monkeypatch.setattr(socket, "getaddrinfo", lambda host, port, **_options: asked.append((host, port)) or here)
        assert send(name, roots=[ca]).status == 200
        assert registry.log[0].host == name
    parsed = parse_registry_name(name)
    assert asked == [(parsed.address, parsed.port or 443)]


def test_an_ipv6_address_is_asked_and_checked(ca: Issued) -> None:
    with scripted_registry({None: 200}, ca=ca, family=socket.AF_INET6) as registry:
        name = f"[::1]:{registry.port}"
        assert send(name, roots=[ca])[:2] == (200, None)
        assert registry.log[0].host == name


def test_an_ipv4_address_is_checked(ca: Issued) -> None:
    server = issue_server(signer=ca, names=["localhost"])
    with scripted_registry({None: 200}, ca=ca, server=server) as registry:
        answer = send(f"127.0.0.1:{registry.port}", roots=[ca])
        assert "certificate is not accepted: IP address mismatch" in str(answer.error)
        assert registry.answers() == [(None, "refused")]


def test_the_name_is_checked(ca: Issued) -> None:
    server = issue_server(signer=ca, names=["registry.example"])
    with scripted_registry({None: 200}, ca=ca, server=server) as registry:
        answer = send(registry.name, roots=[ca])
    assert "certificate is not accepted: Hostname mismatch" in str(answer.error)
    assert answer.status is None


DAMAGED = ["", "junk", "-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----\n"]


@pytest.fixture
def system_roots(ca: Issued, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The CA is one of the system's roots."""
    system = tmp_path / "roots.pem"
    system.write_text(ca.certificate)
    monkeypatch.setenv("SSL_CERT_FILE", str(system))


@pytest.mark.usefixtures("system_roots")
@pytest.mark.parametrize("damaged", DAMAGED)
def test_a_crt_without_a_certificate_left_no_roots_once(ca: Issued, damaged: str) -> None:
    with scripted_registry({None: 200}, ca=ca) as registry:
        answer = send(registry.name, roots=[damaged], replaces=True)
        assert str(answer.error).startswith(NOT_ACCEPTED)
        assert send(registry.name, roots=[damaged, ca], replaces=True).status == 200
        assert send(registry.name, replaces=True).status == 200, "without any .crt the system's roots count"
        assert send(registry.name, roots=[damaged]).status == 200, "today the system's roots count all the same"


@pytest.mark.usefixtures("system_roots")
def test_a_crt_replaced_the_systems_roots_once_and_is_added_to_them_today(ca: Issued) -> None:
    with scripted_registry({None: 200}, ca=ca) as registry:
        assert str(send(registry.name, roots=[issue_ca("other")], replaces=True).error).startswith(NOT_ACCEPTED)
        assert send(registry.name, roots=[issue_ca("other")]).status == 200


@pytest.mark.parametrize("damaged", DAMAGED)
def test_a_crt_without_a_certificate_adds_nothing(ca: Issued, damaged: str) -> None:
    with scripted_registry({None: 200}, ca=ca) as registry:
        assert str(send(registry.name, roots=[damaged]).error).startswith(NOT_ACCEPTED)
        assert send(registry.name, roots=[damaged, ca]).status == 200


def test_who_verifies_nothing_takes_anybody(ca: Issued) -> None:
    server = issue_server(signer=issue_ca("other"), names=["elsewhere.example"])
    with scripted_registry({None: 200}, ca=ca, server=server) as registry:
        trust = Trust(verifies=False)
        answer = ask(parse_registry_name(registry.name), "/v2/", trust=trust, pair=None, timeout=5)
    assert answer.status == 200


def test_a_common_name_is_no_name_for_engines_of_today(ca: Issued) -> None:
    server = issue("localhost", signer=ca, purposes=[SERVER])
    with scripted_registry({None: 200}, ca=ca, server=server) as registry:
        assert str(send(registry.name, roots=[ca]).error).startswith(NOT_ACCEPTED)


def test_an_intermediate_ca_counts_as_a_root(ca: Issued) -> None:
    intermediate = issue_ca("intermediate", signer=ca)
    with scripted_registry({None: 200}, ca=ca, server=issue_server(signer=intermediate)) as registry:
        assert send(registry.name, roots=[intermediate])[:2] == (200, None)


@BOTH_VERSIONS
def test_the_refusal_of_an_expired_pair_is_told_in_its_own_words(ca: Issued, version: ssl.TLSVersion) -> None:
    """In TLS 1.3 the server may hang up before the request is sent: a race, hence the many rounds."""
    expired = issue("expired", signer=ca, not_before=NOW - timedelta(days=9), not_after=NOW - timedelta(days=2))
    with scripted_registry({}, ca=ca, version=version) as registry:
        answers = [send(registry.name, roots=[ca], pair=expired) for _number in range(30)]
        assert {answer.error for answer in answers} == {"the registry refused the TLS connection: certificate expired"}
        assert registry.answers() == [(None, "refused")] * 30


@BOTH_VERSIONS
def test_a_pair_of_an_unknown_ca_is_refused(ca: Issued, version: ssl.TLSVersion) -> None:
    foreign = issue_client(signer=issue_ca("foreign"))
    with scripted_registry({}, ca=ca, version=version) as registry:
        answer = send(registry.name, roots=[ca], pair=foreign)
    assert answer[:2] == (None, "the registry refused the TLS connection: unknown ca")


@BOTH_VERSIONS
def test_a_server_that_insists_on_a_certificate_refuses_without(ca: Issued, version: ssl.TLSVersion) -> None:
    with scripted_registry({}, ca=ca, version=version, insists=True) as registry:
        answer = send(registry.name, roots=[ca])
    assert answer.status is None
    assert str(answer.error).startswith("the registry refused the TLS connection: ")


@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        ("garbage", "the answer is no HTTP"),
        ("close", "the registry closed the connection without an answer"),
        ("reset", "the registry closed the connection without an answer"),
    ],
)
def test_trouble_is_the_answers_error(ca: Issued, client: Issued, trouble: Trouble, words: str) -> None:
    with scripted_registry({fingerprint(client.der): trouble}, ca=ca) as registry:
        answer = send(registry.name, roots=[ca], pair=client)
        assert answer[:2] == (None, words)
        assert registry.answers() == [(fingerprint(client.der), trouble)]


@pytest.mark.parametrize(("answer", "status"), [("redirect", 307), ("informed", 204)])
def test_a_redirect_is_not_followed_and_information_is_no_answer(ca: Issued, answer: Trouble, status: int) -> None:
    with scripted_registry({None: answer}, ca=ca) as registry:
        assert send(registry.name, roots=[ca])[:2] == (status, None)


def test_an_endless_head_is_read_up_to_a_limit(ca: Issued) -> None:
    with scripted_registry({None: "endless head"}, ca=ca) as registry:
        answer = send(registry.name, roots=[ca], timeout=8)
    assert answer[:2] == (None, "the answer is no HTTP")
    assert answer.seconds < 5


def test_what_was_seen_comes_with_the_answer(ca: Issued) -> None:
    server = issue_server(signer=ca)
    with scripted_registry({None: 200}, ca=ca, server=server, headers=["X-So: 1", "x-so: 2"]) as registry:
        seen = send(registry.name, roots=[ca]).seen
    assert (seen.address, seen.silent, seen.chain[0]) == ("127.0.0.1", (), server.der)
    assert "127.0.0.1" in seen.addresses
    assert (seen.tls_version, seen.headers["x-so"]) == ("TLSv1.3", "1")
    assert str(seen.cipher).startswith("TLS_")
    assert abs(time.time() - (seen.received or 0)) < 60


def test_plain_http_is_spoken_where_nobody_is_to_be_trusted() -> None:
    with socket.create_server(("127.0.0.1", 0)) as plain:

        def serve() -> None:
            connection, _address = plain.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")

        threading.Thread(target=serve, daemon=True).start()
        name = parse_registry_name(f"localhost:{plain.getsockname()[1]}")
        assert ask(name, "/v2/", trust=None, pair=None, timeout=5)[:2] == (200, None)


@pytest.mark.parametrize("trouble", ["hang", "trickle"])
def test_the_timeout_bounds_the_whole_attempt(ca: Issued, trouble: Trouble) -> None:
    with scripted_registry({None: trouble}, ca=ca) as registry:
        answer = send(registry.name, roots=[ca], timeout=0.5)
    assert answer[:2] == (None, "no answer within 0.5 s")
    assert 0.5 <= answer.seconds < 1.5


def test_of_an_endless_answer_the_head_is_read(ca: Issued) -> None:
    with scripted_registry({None: "endless"}, ca=ca) as registry:
        answer = send(registry.name, roots=[ca], timeout=5)
    assert answer[:2] == (200, None)
    assert answer.seconds < 2


def test_a_handshake_that_never_comes_is_bounded() -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        answer = send(f"localhost:{mute.getsockname()[1]}", timeout=0.5)
    assert answer[:2] == (None, "no answer within 0.5 s")
    assert answer.seconds < 1.5


def test_a_server_of_plain_http_is_told(ca: Issued) -> None:
    with socket.create_server(("127.0.0.1", 0)) as plain:

        def serve() -> None:
            connection, _address = plain.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        threading.Thread(target=serve, daemon=True).start()
        answer = send(f"localhost:{plain.getsockname()[1]}")
    assert answer.status is None
    assert str(answer.error).startswith("TLS: ")


def test_a_closed_port_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert send(f"127.0.0.1:{port}")[:2] == (None, "Connection refused")


def test_a_resolver_that_never_answers_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_options: time.sleep(3) or [])
    answer = send("registry.example", timeout=0.3)
    assert answer[:2] == (None, "no answer within 0.3 s")
    assert answer.seconds < 1


def test_a_name_that_is_not_known_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_args: object, **_options: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    assert send("registry.example")[:2] == (None, "Name or service not known")


def test_a_name_with_a_label_too_long_for_dns_is_told() -> None:
    assert send("a" * 64 + ".example")[:2] == (None, "no host can have this name")


def test_an_address_that_swallows_everything_leaves_time_for_the_next(
    ca: Issued, monkeypatch: pytest.MonkeyPatch
) -> None:
    with scripted_registry({None: 200}, ca=ca) as registry, socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        stuck = [socket.socket() for _number in range(3)]
        for each in stuck:
            each.setblocking(False)
            each.connect_ex(full.getsockname())
        good = socket.getaddrinfo("127.0.0.1", registry.port, type=socket.SOCK_STREAM)
        bad = socket.getaddrinfo("127.0.0.1", full.getsockname()[1], type=socket.SOCK_STREAM)
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_options: bad + good)
        answer = send(registry.name, roots=[ca], timeout=1)
        for each in stuck:
            each.close()
    assert answer[:2] == (200, None)
    assert answer.seconds >= 0.5
    assert answer.seen.silent == ("127.0.0.1: no answer",)


def test_a_protocol_below_tls_1_2_is_not_spoken(ca: Issued) -> None:
    assert _request._context(Trust(), None).minimum_version == ssl.TLSVersion.TLSv1_2


def test_no_proxy_is_asked(ca: Issued, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:1")
    with scripted_registry({None: 200}, ca=ca) as registry:
        assert send(registry.name, roots=[ca]).status == 200
