# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Several registries on one host: they leave each other alone, change without a gap, and go without a trace.

Each test says what has to stand there, and only what does not is laid or removed before it. So those that want the same
stand together, and those that leave little behind are the last.
"""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ansible_collections.fleet.certs_d.tests.fleet.registries import (
    HOST,
    NAME,
    ROOT,
    Answer,
    Fleet,
    Material,
    Question,
    Registry,
    lay_tree,
)
from ansible_collections.fleet.certs_d.tests.fleet.running import PROJECT, Ansible, OnHost
from ansible_collections.fleet.certs_d.tests.unit.material import CLIENT, NOW, issue

SIGNED = 5002
RELOADS = "grep -c 'SIGUSR1 received' /var/log/apache2/error.log"
# Its own CA is the other one, so that `foreign` is good there.
SECOND = Registry(f"second.lab:{SIGNED}", client_ca="other.crt", client_crl="")

PUSHED = Registry(f"{NAME}:5005", backend="distribution", root="/srv/pushed-tests")


@contextlib.contextmanager
def files_kept(material: Material) -> Iterator[None]:
    """What the registries are laid from is there again when this ends, byte for byte."""
    kept = {name: (material.folder / name).read_text() for name in ("clients.crt", "clients.crl")}
    yield
    for name, content in kept.items():
        material.write(name, content)


@pytest.fixture
def told(registries: Fleet) -> Iterator[Fleet]:
    """The registries as they are told; a test may lay them from other files."""
    with files_kept(registries.material):
        yield registries


@pytest.fixture
def relaid(registry_host: Fleet) -> Iterator[Fleet]:
    """The registries, of which the test itself first lays the one that looks at signatures."""
    with files_kept(registry_host.material):
        yield registry_host
    registry_host.forget(registry_host.by_policy["signed_by_ca"])


@pytest.fixture
def second(registry_host: Fleet) -> Fleet:
    """Beside the registries a second one on the port of one of them."""
    registry_host.want(*registry_host.by_policy.values(), SECOND)
    return registry_host


@pytest.fixture
def pushed(registry_host: Fleet) -> Fleet:
    """Beside the registries one that takes pushes."""
    registry_host.want(*registry_host.by_policy.values(), PUSHED)
    return registry_host


def test_a_second_run_changes_nothing_and_reloads_nothing(registries: Fleet, on: OnHost) -> None:
    check_nothing_changes(registries, on, *registries.by_policy.values())


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_two_registries_on_one_port_keep_their_clients_apart(second: Fleet, version: str) -> None:
    mine, theirs = {"name": NAME, "host": NAME}, {"name": "second.lab", "host": "second.lab"}

    def statuses(*asked: tuple[str, dict[str, Any]]) -> list[int]:
        questions = [Question(SIGNED, certificate, version=version, **names) for certificate, names in asked]
        return [answer.status for answer in second.ask(*questions)]

    own = [("good", mine), ("foreign", theirs), ("foreign", mine), ("good", theirs)]
    assert statuses(*own) == [200, 200, 0, 0]
    # The handshake with the one, the request to the other.
    other: list[tuple[str, dict[str, Any]]] = [
        ("foreign", {"name": "second.lab", "host": NAME}),
        ("good", {"name": NAME, "host": "second.lab"}),
        ("foreign", {"name": "", "host": NAME}),
        ("good", {"name": "", "host": "second.lab"}),
        ("foreign", {"name": "nowhere.lab", "host": NAME}),
        ("good", {"name": "nowhere.lab", "host": "second.lab"}),
        ("foreign", {**mine, "resumed": True, "first_name": "second.lab"}),
        ("good", {**theirs, "resumed": True, "first_name": NAME}),
        ("foreign", {"name": "", "host": NAME, "resumed": True, "first_name": "second.lab"}),
        ("good", {"name": "", "host": "second.lab", "resumed": True, "first_name": NAME}),
    ]
    for case, status in zip(other, statuses(*other), strict=True):
        assert status in (0, 403, 421), case


def test_a_site_that_a_run_which_ended_has_removed_is_let_go_of(second: Fleet, on: OnHost) -> None:
    on(HOST, f"rm /etc/apache2/sites-*/zz-certs-d-second.lab_{SIGNED}.conf")
    theirs = Question(SIGNED, "foreign", name="second.lab", host="second.lab")
    assert ask(second, theirs).status == 200
    second.remove(SECOND)
    assert ask(second, theirs).outcome == "handshake refused"


def test_who_is_revoked_is_out_with_the_next_run_even_with_an_old_session(told: Fleet) -> None:
    versions = ("1.2", "1.3")
    save = [Question(SIGNED, "stranger", client="openssl", version=version, session="save") for version in versions]
    assert [answer.status for answer in told.ask(*save)] == [200, 200]
    reuse = [replace(question, session="reuse") for question in save]
    assert [(answer.status, answer.reused) for answer in told.ask(*reuse)] == [(200, True)] * 2
    told.material.revoke("revoked", "stranger")
    told.lay(told.by_policy["signed_by_ca"])
    assert {answer.outcome for answer in told.ask(*reuse, *save)} == {"handshake refused"}
    assert ask(told, Question(SIGNED, "good")).status == 200


def test_what_a_run_that_failed_has_laid_is_live_with_the_next_one(told: Fleet, on: OnHost) -> None:
    broken = "/etc/apache2/sites-enabled/broken.conf"
    told.material.revoke("revoked", "stranger")
    on(HOST, f"echo Nonsense > {broken}")
    try:
        failed = told.lay(told.by_policy["signed_by_ca"], good=False)
    finally:
        on(HOST, f"rm {broken}")
    assert "Nonsense" in failed.output
    assert ask(told, Question(SIGNED, "stranger")).status == 200
    told.lay(told.by_policy["signed_by_ca"])
    assert ask(told, Question(SIGNED, "stranger")).outcome == "handshake refused"
    check_nothing_changes(told, on, told.by_policy["signed_by_ca"])


def test_an_old_revocation_list_lets_nobody_in(relaid: Fleet) -> None:
    relaid.material.revoke("revoked", last_update=NOW - timedelta(days=9), next_update=NOW - timedelta(days=1))
    relaid.lay(relaid.by_policy["signed_by_ca"])
    for version in ("1.2", "1.3"):
        assert ask(relaid, Question(SIGNED, "good", version=version)).outcome == "handshake refused"
        assert ask(relaid, Question(SIGNED, version=version)).status == 403


def test_no_session_outlives_the_revocation_list(relaid: Fleet, on: OnHost) -> None:
    begun = time.monotonic()
    relaid.lay(relaid.by_policy["signed_by_ca"])
    # So that it has not ended before the sessions begin, on a machine that is busy, too.
    patience = timedelta(seconds=10 + 2 * int(time.monotonic() - begun))
    end = datetime.now(UTC).replace(microsecond=0) + patience
    relaid.material.revoke("revoked", last_update=NOW - timedelta(days=1), next_update=end)
    relaid.lay(relaid.by_policy["signed_by_ca"])
    save = [Question(SIGNED, "good", client="openssl", version=version, session="save") for version in ("1.2", "1.3")]
    assert [answer.status for answer in relaid.ask(*save)] == [200, 200]
    time.sleep(max(0, (end - datetime.now(UTC)).total_seconds()) + 1)
    for answer in relaid.ask(*(replace(question, session="reuse") for question in save)):
        assert (answer.status, answer.reused) == (403, True)
        assert "to be begun anew" in answer.reason
    # The next run looks for the next end, and empties the cache of sessions.
    relaid.lay(relaid.by_policy["signed_by_ca"])
    check_nothing_changes(relaid, on, relaid.by_policy["signed_by_ca"])


def test_the_server_s_pair_is_one_file_and_that_of_version_0_1_0_goes(relaid: Fleet, on: OnHost) -> None:
    folder = f"/etc/apache2/certs-d-{NAME}_{SIGNED}"
    site = f"/etc/apache2/sites-available/zz-certs-d-{NAME}_{SIGNED}.conf"
    halves = "".join((relaid.material.folder / f"server.{each}").read_text() for each in ("crt", "key"))
    on(HOST, f"cd {folder} && cp server.pem server.crt && mv server.pem server.key")
    on(HOST, f"sed -i 's/ateFile \\(.*\\).pem/ateFile \\1.crt/; s/KeyFile \\(.*\\).pem/KeyFile \\1.key/' {site}")
    on(HOST, "systemctl reload apache2")
    relaid.lay(relaid.by_policy["signed_by_ca"])
    assert on(HOST, f"cd {folder} && ls server.* && stat --format='%U %a' server.pem") == "server.pem\nroot 600\n"
    assert on(HOST, f"cat {folder}/server.pem") == halves
    assert ask(relaid, Question(SIGNED, "good")).status == 200


def test_the_site_that_was_there_for_unknown_names_stays_it(relaid: Fleet, on: OnHost) -> None:
    files = f"/etc/apache2/sites-available/zz-certs-d-{NAME}_{SIGNED}.conf"
    former, link = (files.replace("zz-", ""), files.replace("available", "enabled"))
    other = "/etc/apache2/sites-enabled/other.conf"
    lines = f"<VirtualHost *:{SIGNED}>\n ServerName other.lab\n SSLEngine on\n SSLCertificateFile /etc/ssl/other.pem\n"
    pair = (
        "openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=other.lab -keyout /etc/ssl/other.pem -out /tmp/other.pem"
    )
    on(HOST, f"{pair} && cat /tmp/other.pem >> /etc/ssl/other.pem && cat > {other}", lines + "</VirtualHost>\n")
    # As version 0.1.0 has laid it: before the other.
    on(HOST, f"mv {files} {former} && rm {link} && ln -s {former} {former.replace('available', 'enabled')}")
    try:
        relaid.lay(relaid.by_policy["signed_by_ca"])
        sites = on(HOST, "apache2ctl -t -D DUMP_VHOSTS")
        assert re.search(rf"\*:{SIGNED} .*\n +default server other.lab ", sites)
        assert on(HOST, f"find /etc/apache2 -name '*certs-d-{NAME}_{SIGNED}.conf' | sort").split() == [files, link]
        assert "self-signed" in ask(relaid, Question(SIGNED, "good", name="", host="nowhere.lab")).error
        assert ask(relaid, Question(SIGNED, "good")).status == 200
    finally:
        on(HOST, f"rm {other} && systemctl reload apache2")


def test_modules_that_a_run_which_ended_has_switched_on_are_loaded(registries: Fleet, on: OnHost) -> None:
    on(HOST, "a2dismod -f cgid && systemctl restart apache2 && a2enmod cgid")
    registries.lay(registries.by_policy["signed_by_ca"])
    assert ask(registries, Question(SIGNED, "good")).status == 200
    check_nothing_changes(registries, on, registries.by_policy["signed_by_ca"])


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("clients.crl", "junk"),
        ("clients.crl", "-----BEGIN X509 CRL-----\n!!\n-----END X509 CRL-----\n"),
        ("clients.crt", ""),
    ],
)
def test_what_apache_can_not_read_never_goes_live(told: Fleet, on: OnHost, file: str, content: str) -> None:
    told.material.write(file, content)
    before = on(HOST, RELOADS)
    failed = told.lay(told.by_policy["signed_by_ca"], good=False)
    assert failed.status != 0
    assert "is not a file of PEM" in " ".join(failed.output.split())
    assert on(HOST, RELOADS) == before
    assert ask(told, Question(SIGNED, "good")).status == 200


def test_a_site_that_apache_does_not_take_leaves_the_old_one(told: Fleet, on: OnHost) -> None:
    site = f"/etc/apache2/sites-available/zz-certs-d-{NAME}_{SIGNED}.conf"
    before = on(HOST, f"sha256sum {site}; {RELOADS}")
    failed = told.lay(replace(told.by_policy["signed_by_ca"], log_level="nonsense"), good=False)
    assert failed.status != 0
    assert "failed to validate" in failed.output
    assert on(HOST, f"sha256sum {site}; {RELOADS}") == before
    assert ask(told, Question(SIGNED, "good")).status == 200


def test_all_that_can_not_be_meant_is_told_at_once(registries: Fleet, on: OnHost) -> None:
    clients: list[dict[str, Any]] = [
        {"fingerprint": "AA:BB"},
        {"san": "URI:a"},
        {"subject": "no subject"},
        {"subject": "CN=a", "san": "DNS:a"},
        {"subject": "CN=a", "repositories": ["$(id)"]},
    ]
    failed = registries.lay(Registry(f"{NAME}:5009", "any_certificate", clients, client_ca=""), good=False)
    assert failed.status != 0
    told = " ".join(failed.output.split())
    for reason in (
        "registry_client_crl needs registry_client_ca",
        "registry_clients is read with registry_client_policy allowlist alone",
        "names clients by subject or san, which only a CA vouches for",
        "has not exactly one of subject, san and fingerprint",
        "a fingerprint in registry_clients or registry_pushers is not a SHA-256",
        "a san in registry_clients or registry_pushers is neither DNS:NAME nor email:ADDRESS",
        "a subject in registry_clients or registry_pushers is not in the form",
        "stands what is neither a repository nor a pattern",
    ):
        assert reason in told
    assert on(HOST, "find /etc/apache2 -name '*5009*'") == ""


def test_a_session_does_not_outlive_its_certificate(registries: Fleet) -> None:
    port = registries.by_policy["any_certificate"].port
    begun = time.monotonic()
    registries.lay_on_node()
    patience = timedelta(seconds=10 + 2 * int(time.monotonic() - begun))
    end = datetime.now(UTC).replace(microsecond=0) + patience
    brief = issue("brief", purposes=[CLIENT], not_before=NOW - timedelta(days=1), not_after=end)
    for suffix, content in (("cert", brief.certificate), ("key", brief.private_key)):
        registries.material.write(f"brief.{suffix}", content)
    registries.lay_on_node()
    save = [Question(port, "brief", client="openssl", version=version, session="save") for version in ("1.2", "1.3")]
    assert [answer.status for answer in registries.ask(*save)] == [200, 200]
    time.sleep(max(0, (end - datetime.now(UTC)).total_seconds()) + 1)
    for answer in registries.ask(*(replace(question, session="reuse") for question in save)):
        assert (answer.outcome, answer.reused) == ("403 client certificate has expired", True)


def test_a_registry_named_by_an_ipv6_address_answers_for_no_other_name(registries: Fleet, on: OnHost) -> None:
    open_to_all = Registry(f"[2001:db8::1]:{SIGNED}", "any_certificate", client_ca="", client_crl="")
    registries.lay(open_to_all)
    on(HOST, f"echo 'ServerName {NAME}' > /etc/apache2/conf-enabled/name.conf && systemctl reload apache2")
    try:
        assert ask(registries, Question(SIGNED, "good")).status == 200
        assert ask(registries, Question(SIGNED, "self-signed")).outcome == "handshake refused"
    finally:
        on(HOST, "rm /etc/apache2/conf-enabled/name.conf")
        registries.remove(open_to_all)


def test_settings_that_a_run_which_ended_has_laid_are_those_of_the_service(pushed: Fleet, on: OnHost) -> None:
    unit, settings = f"certs-d-{NAME}_5005", f"/etc/certs-d-registry/certs-d-{NAME}_5005/config.yml"
    begin = f"systemctl show --property=ExecMainPID --value {unit}"
    on(HOST, f"cp {settings} /tmp/wanted && cat /tmp/wanted > {settings}")
    before = on(HOST, begin)
    pushed.lay(PUSHED)
    between = on(HOST, begin)
    assert between != before
    assert re.search(r"registry1 .* changed=0 ", pushed.lay(PUSHED).output)
    assert on(HOST, begin) == between


def test_an_account_that_was_there_is_left_as_it_is(pushed: Fleet, on: OnHost) -> None:
    account = "getent passwd deployer"
    on(HOST, "useradd --create-home --shell /bin/bash --no-user-group deployer")
    before = on(HOST, account)
    try:
        pushed.lay(replace(PUSHED, user="deployer"))
        assert on(HOST, account) == before
        assert ask(pushed, Question(PUSHED.port, "good")).status == 200
        assert on(HOST, f"stat --format=%U {PUSHED.root}/certs-d-{NAME}_5005") == "deployer\n"
    finally:
        pushed.remove(PUSHED, purge_tree=True)
        on(HOST, "userdel --remove deployer")


def test_a_tree_that_another_registry_serves_is_not_purged(registry_host: Fleet, on: OnHost) -> None:
    static = replace(SECOND, root=PUSHED.root)
    registry_host.want(*registry_host.by_policy.values(), PUSHED, static)
    lay_tree(registry_host.material.folder / "shared", PUSHED.root)
    # Its backend is not told.
    registry_host.remove(replace(PUSHED, backend="static"), purge_tree=True)
    on(HOST, f"test -d {PUSHED.root}/store && test ! -e {PUSHED.root}/certs-d-{NAME}_5005")
    registry_host.remove(static, purge_tree=True)
    assert on(HOST, f"ls -A {PUSHED.root}") == "secret\n"
    on(HOST, f"rm -r {PUSHED.root}")


def test_a_registry_goes_without_a_trace_and_the_others_stay(second: Fleet, on: OnHost) -> None:
    signed = second.by_policy["signed_by_ca"]
    second.remove(signed)
    assert on(HOST, f"find /etc -name '*certs-d-{NAME}_{SIGNED}*'") == ""
    on(HOST, f"test -f /var/log/apache2/certs-d-{NAME}_{SIGNED}_access.log && test -d {ROOT}/v2")
    # Its neighbour goes on listening on the port, and takes no client of the one that went.
    assert ask(second, Question(SIGNED, "foreign", name="second.lab", host="second.lab")).status == 200
    assert ask(second, Question(SIGNED, "good")).outcome == "handshake refused"
    assert ask(second, Question(5003, "good")).status == 200
    assert re.search(r"changed=0 ", second.remove(signed).output)


def test_the_last_registry_takes_the_gate_along_and_leaves_apache(
    registry_host: Fleet, on: OnHost, playbook: Ansible, tmp_path_factory: pytest.TempPathFactory
) -> None:
    ours = Registry(f"{NAME}:5000")
    try:
        registry_host.remove(SECOND, *registry_host.by_policy.values(), ours, purge_tree=True)
        assert on(HOST, "ls /etc/apache2 /etc/apache2/sites-available | grep -c certs-d || true") == "0\n"
        # What is not of the tree stays, and so does the lab's own tree.
        assert on(HOST, f"ls -A {ROOT}") == "secret\n"
        on(HOST, "test ! -e /usr/local/lib/certs-d-registry && test -d /srv/certs-d-registry")
        on(HOST, "systemctl is-active apache2 && apache2ctl -t && ss -Hltn 'sport = :80' | grep -q :80")
        assert on(HOST, "ss -Hltn 'sport >= :5000 and sport <= :5004'") == ""
    finally:
        playbook(PROJECT / "playbooks" / "registry.yml").good()
        lay_tree(tmp_path_factory.mktemp("again"))


def check_nothing_changes(fleet: Fleet, on: OnHost, *registries: Registry) -> None:
    before = on(HOST, RELOADS)
    again = fleet.lay(*registries)
    assert re.search(r"registry1 .* changed=0 ", again.output), again.output
    assert on(HOST, RELOADS) == before


def ask(fleet: Fleet, question: Question) -> Answer:
    (answer,) = fleet.ask(question)
    return answer
