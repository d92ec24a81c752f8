# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role's registry that takes pushes, asked by requests that no engine makes."""

from __future__ import annotations

import hashlib
import json
import secrets
import socket
import ssl
import threading
import time
from collections.abc import Iterator

import pytest

from ansible_collections.fleet.certs_d.tests.engines.hub import HUBS, NAME, Hub
from ansible_collections.fleet.certs_d.tests.fleet.running import ENGINES, ssh

SITE = "certs-d-hub.lab_5000"
RIGHTS = "certs-d-hub.lab_5001"
# The play of the registry with rights, on one host.
ONE = ("--tags", "rights", "--limit", "hub1")
FORM = "application/x-www-form-urlencoded"
MEBIBYTE = 2**20


def on(host: str, line: str) -> str:
    return ssh(ENGINES, host, line).good()


@pytest.fixture(scope="module")
def blob(hub: Hub) -> str:
    """The digest of a blob of the repository `known`."""
    return hub.push_blob("known", bytes(range(256)) * 16)


def test_a_push_goes_on_at_another_host_and_is_there_at_once(hub: Hub) -> None:
    begun = hub.ask("pusher", "POST", "/v2/spread/blobs/uploads/", host="hub1")
    written = hub.ask("pusher", "PATCH", hub.upload(begun), b"one", host="hub2")
    digest = f"sha256:{hashlib.sha256(b'onetwo').hexdigest()}"
    done = hub.ask("pusher", "PUT", f"{hub.upload(written)}&digest={digest}", b"two", host="hub1")
    assert done.status == 201
    assert done.headers["Location"] == f"https://{NAME}:5000/v2/spread/blobs/{digest}"
    assert hub.ask("reader", "GET", f"/v2/spread/blobs/{digest}", host="hub2").body == b"onetwo"


def test_who_presents_no_certificate_is_told_so(hub: Hub, blob: str) -> None:
    for method, path in (("GET", "/v2/"), ("GET", f"/v2/known/blobs/{blob}"), ("POST", "/v2/known/blobs/uploads/")):
        answer = hub.ask(None, method, path)
        assert (answer.status, answer.reason) == (403, "no client certificate was presented")
        assert answer.headers["Content-Type"] == "application/json"
        assert answer.headers["Docker-Distribution-Api-Version"] == "registry/2.0"


@pytest.mark.parametrize("pair", ["foreign-a", "expired-a"])
def test_foreign_and_expired_certificates_are_refused_in_the_handshake(hub: Hub, blob: str, pair: str) -> None:
    hub.forget_logs()
    with pytest.raises((ssl.SSLError, ConnectionError)):
        hub.ask(pair, "GET", f"/v2/known/blobs/{blob}")
    assert "-" in {answer.request for answer in hub.log_of("hub1")}
    assert "200" not in {answer.answer for answer in hub.log_of("hub1")}


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_resumed_session_has_the_rights_of_its_certificate(hub: Hub, blob: str, version: ssl.TLSVersion) -> None:
    context = hub.context("reader")
    context.minimum_version = context.maximum_version = version
    session, answers, resumed = None, [], []
    for _turn in range(2):
        with (
            socket.create_connection((hub.addresses["hub1"], 5000), timeout=30) as plain,
            context.wrap_socket(plain, server_hostname=NAME, session=session) as secure,
        ):
            for line in (f"HEAD /v2/known/blobs/{blob}", "POST /v2/known/blobs/uploads/"):
                secure.sendall(f"{line} HTTP/1.1\r\nHost: {NAME}:5000\r\nContent-Length: 0\r\n\r\n".encode())
                answers.append(secure.recv(65536).split(b" ", 2)[1])
            session = secure.session
            resumed.append(secure.session_reused)
    assert answers == [b"200", b"403"] * 2
    assert resumed == [False, True]


def test_the_access_log_names_who_pushed(hub: Hub) -> None:
    hub.forget_logs()
    hub.ask("pusher", "POST", "/v2/logged/blobs/uploads/")
    hub.ask("reader", "POST", "/v2/logged/blobs/uploads/")
    assert [(answer.pair, answer.answer) for answer in hub.log_of("hub1")] == [("pusher", "202"), ("reader", "403")]
    told = [line for line in on("hub1", f"cat /var/log/apache2/{SITE}_error.log").splitlines() if " gate: " in line]
    assert ['subject="CN=pusher"' in told[0], " decision=yes " in told[0]] == [True, True]
    assert ['subject="CN=reader"' in told[1], " decision=no " in told[1]] == [True, True]
    assert told[1].endswith('request="POST /v2/logged/blobs/uploads/"')


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/v1/_ping",
        "/v2",
        "/v2/_catalog/",
        "//v2/_catalog",
        "/v2/%2e%2e/v2/_catalog",
        "/v2/known/%2e%2e/%5fcatalog",
        "/v2/known%2fblobs/BLOB",
        "/v2/known/blobs%2fBLOB",
        "/v2/known/blobs/BLOB%3fx",
        "/v2/known/blobs/BLOB%00",
        "/v2/known/blobs/BLOB%0a",
        "/v2/known/blobs/BLOB;x",
        "/v2/Known/blobs/BLOB",
        "/v2/x/../known/blobs/BLOB",
        "/cgi-bin/cert.cgi/v2/",
        "/server-status",
    ],
)
def test_other_spellings_lead_nowhere_for_whoever_is_not_let_in(hub: Hub, blob: str, path: str) -> None:
    answer = hub.ask(None, "GET", path.replace("BLOB", blob))
    assert answer.status in (400, 403, 404)
    assert b"known" not in answer.body.replace(b"not known", b"")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v2/known/blobs/BLOB", 200),
        ("/v2/kn%6fwn/blobs/BLOB", 200),
        ("/v2/known//blobs/BLOB", 200),
        ("/v2/x/../known/blobs/BLOB", 200),
        ("/v2/known%2fblobs/BLOB", 404),
        ("/v2/known/blobs/BLOB%3fx", 404),
        ("/v2/known/blobs/BLOB%0a", 404),
        ("/v2/known/blobs/BLOB%20HTTP/1.1", 404),
        ("/v2/known/blobs/BLOB;x", 404),
        ("/v2/known/blobs/BLOB/", 404),
    ],
)
def test_what_is_decided_on_is_what_is_asked_of_the_registry(hub: Hub, blob: str, path: str, status: int) -> None:
    assert hub.ask("reader", "GET", path.replace("BLOB", blob)).status == status


@pytest.mark.parametrize("method", ["DELETE", "OPTIONS", "TRACE", "PROPFIND", "get"])
def test_nothing_is_deleted_and_no_other_method_served(hub: Hub, blob: str, method: str) -> None:
    answer = hub.ask("pusher", method, f"/v2/known/blobs/{blob}")
    assert (answer.status, answer.headers["Content-Type"]) == (405, "application/json")


@pytest.mark.parametrize("protocol", ["--http1.1", "--http2"])
def test_both_versions_of_http_have_the_same_gate(hub: Hub, blob: str, protocol: str) -> None:
    hub.context("reader")
    for name in ("ca.crt", "reader.cert", "reader.key"):
        ssh(ENGINES, "hub1", f"cat > /root/{name}", given=(hub.material / name).read_text()).good()
    curl = f"curl --silent --output /dev/null {protocol} --cacert /root/ca.crt --resolve {NAME}:5000:127.0.0.1"
    url = f"https://{NAME}:5000/v2/known/blobs"
    pair = "--cert /root/reader.cert --key /root/reader.key"
    told = "--write-out '%{http_version} %{http_code}'"
    version = "2" if protocol == "--http2" else "1.1"
    assert on("hub1", f"{curl} {told} {pair} {url}/{blob}") == f"{version} 200"
    assert on("hub1", f"{curl} {told} {url}/{blob}") == f"{version} 403"
    assert on("hub1", f"{curl} {told} {pair} --data x {url}/uploads/") == f"{version} 403"


def test_a_blob_has_ranges(hub: Hub, blob: str) -> None:
    part = hub.ask("reader", "GET", f"/v2/known/blobs/{blob}", Range="bytes=10-19")
    assert (part.status, part.body) == (206, bytes(range(10, 20)))
    assert part.headers["Content-Range"] == "bytes 10-19/4096"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v2/?" + "%" * 8000, 414),
        ("/v2/" + "%C3" * 2600, 414),
        ("/v2/" + "a" * 601, 404),
        ("/v2/a/blobs/uploads/?x=" + "1" * 3000, 414),
    ],
)
def test_a_long_path_takes_nobody_s_time(hub: Hub, path: str, status: int) -> None:
    """One program is asked about all requests: who keeps it busy keeps all others waiting."""
    began = time.monotonic()
    assert [hub.ask("reader", "GET", path).status for _time in range(5)] == [status] * 5
    assert {hub.ask(None, "GET", path).status for _time in range(5)} <= {403, 414}
    assert time.monotonic() - began < 5


def test_the_longest_name_is_not_too_long(hub: Hub) -> None:
    name = "/".join(["a" * 49] * 5 + ["a" * 5])
    digest = hub.push_blob(name, b"long")
    assert hub.ask("reader", "GET", f"/v2/{name}/blobs/{digest}").body == b"long"


# Rights by repository.


@pytest.fixture(scope="module")
def repositories(hub: Hub) -> dict[str, str]:
    """A blob in each of three repositories of the registry with rights."""
    return {
        name: hub.push_blob(name, name.encode() * 100, port=5001) for name in ("team/a", "shared", "secret/a", "other")
    }


def test_each_reads_what_he_has_a_right_to(hub: Hub, repositories: dict[str, str]) -> None:
    wanted = {
        "pusher": {"team/a", "shared", "secret/a", "other"},
        "team-pusher": {"team/a", "shared"},
        "reader": {"team/a"},
    }
    for pair, names in wanted.items():
        statuses = {
            name: hub.ask(pair, "GET", f"/v2/{name}/blobs/{digest}", port=5001).status
            for name, digest in repositories.items()
        }
        assert statuses == {name: 200 if name in names else 403 for name in repositories}


def test_the_catalog_is_for_those_who_may_read_all(hub: Hub, repositories: dict[str, str]) -> None:
    told = hub.ask("pusher", "GET", "/v2/_catalog", port=5001)
    assert set(json.loads(told.body)["repositories"]) >= set(repositories)
    for pair in ("team-pusher", "reader"):
        refused = hub.ask(pair, "GET", "/v2/_catalog", port=5001)
        assert (refused.status, b"secret" in refused.body) == (403, False)


def test_a_push_needs_the_right_to_push_and_the_right_to_read(hub: Hub) -> None:
    statuses = {
        name: hub.ask("team-pusher", "POST", f"/v2/{name}/blobs/uploads/", port=5001).status
        for name in ("team/a", "shared", "secret/a", "other")
    }
    assert statuses == {"team/a": 202, "shared": 403, "secret/a": 403, "other": 403}


@pytest.mark.parametrize(
    ("source", "query", "body", "status"),
    [
        ("shared", "?mount={digest}&from=shared", "", 201),
        ("secret/a", "?mount={digest}&from=secret/a", "", 403),
        ("secret/a", "?mount={digest}&from=secret%2Fa", "", 403),
        ("secret/a", "?mount={digest}&fr%6fm=secret/a", "", 400),
        ("secret/a", "?mount={digest}&from=shared&from=secret/a", "", 400),
        # The gate can't see a form, and the registry is not to see one either: it begins an upload and mounts nothing.
        ("secret/a", "", "mount={digest}&from=secret/a", 202),
        ("secret/a", "?mount={digest}", "from=secret/a", 202),
    ],
)
def test_a_blob_is_mounted_only_from_what_may_be_read(
    hub: Hub, repositories: dict[str, str], source: str, query: str, body: str, status: int
) -> None:
    digest = repositories[source]
    target = f"team/{secrets.token_hex(4)}"
    path = f"/v2/{target}/blobs/uploads/{query.format(digest=digest)}"
    answer = hub.ask("team-pusher", "POST", path, body.format(digest=digest).encode(), port=5001, Content_Type=FORM)
    assert answer.status == status
    taken = hub.ask("team-pusher", "HEAD", f"/v2/{target}/blobs/{digest}", port=5001).status
    assert taken == (200 if status == 201 else 404)


def test_one_registry_says_nothing_of_the_other_on_its_host(hub: Hub, repositories: dict[str, str]) -> None:
    assert hub.ask("pusher", "HEAD", f"/v2/other/blobs/{repositories['other']}", port=5000).status == 404


# Large pushes, and what happens meanwhile.


@pytest.mark.parametrize("host", HUBS)
def test_layers_have_no_greatest_size(hub: Hub, host: str) -> None:
    """Apache's LimitRequestBody, 1 GiB unless somebody sets it, is not for what goes on to the registry."""
    limit = "/etc/apache2/conf-enabled/limit.conf"
    on(host, f"echo 'LimitRequestBody 1000' > {limit}; systemctl reload apache2; sleep 1")
    try:
        hub.push_blob("large", secrets.token_bytes(MEBIBYTE), host=host)
    finally:
        on(host, f"rm {limit}; systemctl reload apache2; sleep 1")


def pieces(count: int, *, seconds: float = 0) -> Iterator[bytes]:
    for _piece in range(count):
        time.sleep(seconds)
        yield bytes(MEBIBYTE)


def test_layers_are_not_gathered_in_memory(hub: Hub) -> None:
    """400 MiB in chunks, the length of which nobody knows before."""
    most = "cat /proc/$(pgrep -o {0})/task/*/children | tr ' ' '\\n' | xargs -I@ sed -n 's/VmHWM: *//p' /proc/@/status"
    on("hub1", "systemctl restart apache2")
    place = hub.upload(hub.ask("pusher", "POST", "/v2/streamed/blobs/uploads/"))
    answer = hub.ask("pusher", "PATCH", place, pieces(400))
    assert (answer.status, answer.headers["Range"]) == (202, f"0-{400 * MEBIBYTE - 1}")
    used = [int(line.split()[0]) for line in on("hub1", most.format("apache2")).splitlines()]
    assert used
    assert max(used) < 100 * 1024


def test_reloads_of_apache_disturb_no_push(hub: Hub) -> None:
    stop = threading.Event()
    reloads = []

    def reload() -> None:
        while not stop.is_set():
            reloads.append(ssh(ENGINES, "hub1", "systemctl reload apache2").status)
            time.sleep(0.3)

    reloader = threading.Thread(target=reload)
    hub.forget_logs()
    reloader.start()
    try:
        for _image in range(6):
            hub.push_image("reloaded")
        place = hub.upload(hub.ask("pusher", "POST", "/v2/reloaded/blobs/uploads/"))
        assert hub.ask("pusher", "PATCH", place, pieces(20, seconds=0.2)).status == 202
    finally:
        stop.set()
        reloader.join()
    assert len(reloads) > 3
    assert set(reloads) == {0}
    assert {answer.answer for answer in hub.log_of("hub1")} <= {"201", "202"}


# Faults.


def test_without_the_gate_s_program_nobody_is_served(hub: Hub, blob: str) -> None:
    on("hub1", "pkill -KILL -f certs-d-registry/[g]ate-map")
    try:
        for method, path in (("GET", f"/v2/known/blobs/{blob}"), ("GET", "/v2/"), ("POST", "/v2/x/blobs/uploads/")):
            answer = hub.ask("pusher", method, path)
            assert (answer.status, answer.reason) == (503, "the gate of this registry does not answer")
            assert answer.headers["Content-Type"] == "application/json"
    finally:
        on("hub1", "systemctl reload apache2")
    time.sleep(1)
    assert hub.ask("reader", "GET", f"/v2/known/blobs/{blob}").status == 200


def test_without_what_the_program_sources_nobody_is_served(hub: Hub, blob: str) -> None:
    library = "/usr/local/lib/certs-d-registry/gate.sh"
    on("hub1", f"mv {library} {library}.away; systemctl reload apache2")
    try:
        time.sleep(1)
        assert hub.ask("pusher", "GET", f"/v2/known/blobs/{blob}").status == 503
    finally:
        on("hub1", f"mv {library}.away {library}; systemctl reload apache2")
    time.sleep(1)
    assert hub.ask("reader", "GET", f"/v2/known/blobs/{blob}").status == 200


def test_without_the_registry_the_gate_says_so(hub: Hub) -> None:
    on("hub1", f"systemctl stop {SITE}")
    try:
        answer = hub.ask("reader", "GET", "/v2/")
        assert (answer.status, answer.reason) == (503, "the registry behind the gate does not answer")
        assert hub.ask(None, "GET", "/v2/").status == 403
    finally:
        # It listens a moment after systemd has started it.
        ask = f"curl --silent --output /dev/null --unix-socket /run/{SITE}/registry.sock http://x/v2/"
        on("hub1", f"systemctl start {SITE}; timeout 20 sh -c 'until {ask}; do sleep 0.1; done'")


# What lies on the host.


def test_nobody_on_the_host_goes_around_the_gate(hub: Hub) -> None:
    ask = f"curl --silent --output /dev/null --write-out '%{{http_code}}' --unix-socket /run/{SITE}/registry.sock http://x/v2/"
    assert on("hub1", f"runuser -u www-data -- {ask}") == "200"
    assert ssh(ENGINES, "hub1", f"runuser -u nobody -- {ask}").output == "000"
    listening = on("hub1", "ss --listening --tcp --no-header --numeric --processes")
    assert "docker-registry" not in listening
    assert on("hub1", "systemctl is-enabled docker-registry.service || true").strip() == "masked"


def test_settings_and_storage_are_the_registry_s_alone(hub: Hub) -> None:
    folder = f"/etc/certs-d-registry/{SITE}"
    told = on("hub1", f"stat --format '%U:%G %a' {folder} {folder}/config.yml {folder}/secret /srv/hub/registry")
    assert told.splitlines() == [
        "root:certs-d-registry 750",
        "root:certs-d-registry 640",
        "root:root 600",
        "certs-d-registry:certs-d-registry 700",
    ]
    # It is in the settings, so that the next test looks for something.
    assert hub.storage_secret in on("hub1", f"cat {folder}/config.yml")
    assert hub.http_secret in on("hub1", f"cat {folder}/secret")


def test_a_second_run_changes_nothing_and_tells_no_secret(hub: Hub) -> None:
    made = f"cat /etc/certs-d-registry/{RIGHTS}/secret"
    before = [on(host, made) for host in HUBS]
    told = hub.deploy("-vvvv", "--diff").good()
    assert told.count("changed=0") == len(HUBS)
    # One that was made on a host is kept there, and is that host's own.
    assert [on(host, made) for host in HUBS] == before
    assert before[0] != before[1]
    assert all(len(each.strip().removeprefix("REGISTRY_HTTP_SECRET=")) == 64 for each in before)
    others = {"hub_http_secret": "f" * 64, "hub_storage_secret": "e" * 32}
    told += hub.deploy("-vvvv", "--diff", "--check", "--limit", "hub1", **others).good()
    told += "".join(on(host, "journalctl --no-pager") for host in HUBS)
    hidden = [hub.storage_secret, hub.http_secret, *others.values(), *(each.strip()[-64:] for each in before)]
    assert [secret for secret in hidden if secret in told] == []


def test_what_is_refused_is_told_without_the_secret(hub: Hub) -> None:
    given = "short and secret"
    told = hub.deploy("--limit", "hub1", "-vvv", hub_http_secret=given)
    assert told.status != 0
    assert "registry_http_secret is not 32 or more letters" in told.output
    assert given not in told.output


def test_a_registry_that_does_not_start_is_told_with_what_to_do(hub: Hub) -> None:
    told = hub.deploy("--limit", "hub1", "--tags", "rights", hub_rights_storage={"s3": {"bucket": "no-region"}})
    assert told.status != 0
    assert f"`journalctl -u {RIGHTS}.service` tells why" in told.output
    # However often it was tried meanwhile: by default systemd refuses a sixth start within ten seconds.
    on("hub1", f"for try in 1 2 3 4 5 6; do systemctl restart {RIGHTS}; done")
    assert hub.deploy("--limit", "hub1", "--tags", "rights").status == 0


# Last, because they take the registry with rights away.


def test_absent_takes_the_service_away_and_leaves_the_storage_and_the_other_registry(hub: Hub, blob: str) -> None:
    hub.deploy(*ONE, hub_rights_state="absent").good()
    left = on(
        "hub1",
        f"ls -d /etc/systemd/system/{RIGHTS}* /etc/systemd/system/*/{RIGHTS}* /run/{RIGHTS} \
        /etc/certs-d-registry/{RIGHTS} /etc/apache2/{RIGHTS}* /etc/apache2/sites-*/*{RIGHTS}* 2> /dev/null || true",
    )
    assert left == ""
    assert ssh(ENGINES, "hub1", f"systemctl is-active {RIGHTS}").output.strip() == "inactive"
    assert RIGHTS not in on("hub1", "systemctl --failed --plain --no-legend")
    assert "docker" in on("hub1", f"ls /srv/rights/{RIGHTS}")
    assert hub.ask("reader", "GET", f"/v2/known/blobs/{blob}").status == 200


def test_purge_takes_the_storage_too(hub: Hub) -> None:
    told = hub.deploy(*ONE, hub_rights_state="absent", hub_rights_purge=True).good()
    # Its storage and the root of it; all else was gone already.
    assert "changed=2 " in told
    assert "rights" not in on("hub1", "ls /srv")
