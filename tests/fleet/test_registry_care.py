# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Several registries on one host: they leave each other alone, change without a gap, and go without a trace."""

from __future__ import annotations

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


@pytest.fixture
def restored(registries: Fleet) -> Iterator[Fleet]:
    """The registries, of which the one that looks at signatures is brought back as it was."""
    yield registries
    restore_files(registries)
    registries.lay(registries.by_policy["signed_by_ca"])


@pytest.fixture
def untouched(registries: Fleet) -> Iterator[Fleet]:
    """The registries, of which nothing is to be changed by a test that spoils what they are laid from."""
    yield registries
    restore_files(registries)


def restore_files(registries: Fleet) -> None:
    registries.material.revoke("revoked")
    registries.material.write("clients.crt", registries.material.authority.certificate)


@pytest.fixture
def pushed(registries: Fleet) -> Iterator[Fleet]:
    """Beside the others a registry that takes pushes."""
    registries.lay(PUSHED)
    yield registries
    registries.remove(PUSHED, purge_tree=True)


@pytest.fixture
def second(registries: Fleet) -> Iterator[Fleet]:
    """Beside the others a second registry on the port of one of them."""
    registries.lay(SECOND)
    yield registries
    registries.remove(SECOND)


def test_a_second_run_changes_nothing_and_reloads_nothing(registries: Fleet, on: OnHost) -> None:
    check_nothing_changes(registries, on, *registries.by_policy.values())


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_two_registries_on_one_port_keep_their_clients_apart(second: Fleet, version: str) -> None:
    mine, theirs = {"name": NAME, "host": NAME}, {"name": "second.lab", "host": "second.lab"}

    def status(certificate: str, **question: object) -> int:
        return ask(second, Question(SIGNED, certificate, version=version, **question)).status  # type: ignore[arg-type]

    assert status("good", **mine) == 200
    assert status("foreign", **theirs) == 200
    assert status("foreign", **mine) == status("good", **theirs) == 0
    # The handshake with the one, the request to the other.
    for certificate, names in (
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
    ):
        assert status(certificate, **names) in (0, 403, 421), (certificate, names)


def test_who_is_revoked_is_out_with_the_next_run_even_with_an_old_session(restored: Fleet) -> None:
    versions = ("1.2", "1.3")
    save = [Question(SIGNED, "stranger", client="openssl", version=version, session="save") for version in versions]
    assert [answer.status for answer in restored.ask(*save)] == [200, 200]
    reuse = [replace(question, session="reuse") for question in save]
    assert [(answer.status, answer.reused) for answer in restored.ask(*reuse)] == [(200, True)] * 2
    restored.material.revoke("revoked", "stranger")
    restored.lay(restored.by_policy["signed_by_ca"])
    assert {answer.outcome for answer in restored.ask(*reuse, *save)} == {"handshake refused"}
    assert ask(restored, Question(SIGNED, "good")).status == 200


def test_what_a_run_that_failed_has_laid_is_live_with_the_next_one(restored: Fleet, on: OnHost) -> None:
    broken = "/etc/apache2/sites-enabled/broken.conf"
    restored.material.revoke("revoked", "stranger")
    on(HOST, f"echo Nonsense > {broken}")
    try:
        failed = restored.lay(restored.by_policy["signed_by_ca"], good=False)
    finally:
        on(HOST, f"rm {broken}")
    assert "Nonsense" in failed.output
    assert ask(restored, Question(SIGNED, "stranger")).status == 200
    restored.lay(restored.by_policy["signed_by_ca"])
    assert ask(restored, Question(SIGNED, "stranger")).outcome == "handshake refused"
    check_nothing_changes(restored, on, restored.by_policy["signed_by_ca"])


def test_a_site_that_a_run_which_ended_has_removed_is_let_go_of(second: Fleet, on: OnHost) -> None:
    on(HOST, f"rm /etc/apache2/sites-*/zz-certs-d-second.lab_{SIGNED}.conf")
    theirs = Question(SIGNED, "foreign", name="second.lab", host="second.lab")
    assert ask(second, theirs).status == 200
    second.remove(SECOND)
    assert ask(second, theirs).outcome == "handshake refused"


def test_modules_that_a_run_which_ended_has_switched_on_are_loaded(registries: Fleet, on: OnHost) -> None:
    on(HOST, "a2dismod -f cgid && systemctl restart apache2 && a2enmod cgid")
    registries.lay(registries.by_policy["signed_by_ca"])
    assert ask(registries, Question(SIGNED, "good")).status == 200
    check_nothing_changes(registries, on, registries.by_policy["signed_by_ca"])


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


def test_an_old_revocation_list_lets_nobody_in(restored: Fleet) -> None:
    restored.material.revoke("revoked", last_update=NOW - timedelta(days=9), next_update=NOW - timedelta(days=1))
    restored.lay(restored.by_policy["signed_by_ca"])
    for version in ("1.2", "1.3"):
        assert ask(restored, Question(SIGNED, "good", version=version)).outcome == "handshake refused"
        assert ask(restored, Question(SIGNED, version=version)).status == 403


def test_no_session_outlives_the_revocation_list(restored: Fleet, on: OnHost) -> None:
    begun = time.monotonic()
    restored.lay(restored.by_policy["signed_by_ca"])
    # So that it has not ended before the sessions begin, on a machine that is busy, too.
    patience = timedelta(seconds=15 + 3 * int(time.monotonic() - begun))
    end = datetime.now(UTC).replace(microsecond=0) + patience
    restored.material.revoke("revoked", last_update=NOW - timedelta(days=1), next_update=end)
    restored.lay(restored.by_policy["signed_by_ca"])
    save = [Question(SIGNED, "good", client="openssl", version=version, session="save") for version in ("1.2", "1.3")]
    assert [answer.status for answer in restored.ask(*save)] == [200, 200]
    time.sleep(max(0, (end - datetime.now(UTC)).total_seconds()) + 1)
    for answer in restored.ask(*(replace(question, session="reuse") for question in save)):
        assert (answer.status, answer.reused) == (403, True)
        assert "to be begun anew" in answer.reason
    # The next run looks for the next end, and empties the cache of sessions.
    restored.lay(restored.by_policy["signed_by_ca"])
    check_nothing_changes(restored, on, restored.by_policy["signed_by_ca"])


def test_the_server_s_pair_is_one_file_and_that_of_version_0_1_0_goes(restored: Fleet, on: OnHost) -> None:
    folder = f"/etc/apache2/certs-d-{NAME}_{SIGNED}"
    site = f"/etc/apache2/sites-available/zz-certs-d-{NAME}_{SIGNED}.conf"
    halves = "".join((restored.material.folder / f"server.{each}").read_text() for each in ("crt", "key"))
    on(HOST, f"cd {folder} && cp server.pem server.crt && mv server.pem server.key")
    on(HOST, f"sed -i 's/ateFile \\(.*\\).pem/ateFile \\1.crt/; s/KeyFile \\(.*\\).pem/KeyFile \\1.key/' {site}")
    on(HOST, "systemctl reload apache2")
    restored.lay(restored.by_policy["signed_by_ca"])
    assert on(HOST, f"cd {folder} && ls server.* && stat --format='%U %a' server.pem") == "server.pem\nroot 600\n"
    assert on(HOST, f"cat {folder}/server.pem") == halves
    assert ask(restored, Question(SIGNED, "good")).status == 200


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("clients.crl", "junk"),
        ("clients.crl", "-----BEGIN X509 CRL-----\n!!\n-----END X509 CRL-----\n"),
        ("clients.crt", ""),
    ],
)
def test_what_apache_can_not_read_never_goes_live(untouched: Fleet, on: OnHost, file: str, content: str) -> None:
    untouched.material.write(file, content)
    before = on(HOST, RELOADS)
    failed = untouched.lay(untouched.by_policy["signed_by_ca"], good=False)
    assert failed.status != 0
    assert "is not a file of PEM" in " ".join(failed.output.split())
    assert on(HOST, RELOADS) == before
    assert ask(untouched, Question(SIGNED, "good")).status == 200


def test_a_site_that_apache_does_not_take_leaves_the_old_one(untouched: Fleet, on: OnHost) -> None:
    site = f"/etc/apache2/sites-available/zz-certs-d-{NAME}_{SIGNED}.conf"
    before = on(HOST, f"sha256sum {site}; {RELOADS}")
    failed = untouched.lay(replace(untouched.by_policy["signed_by_ca"], log_level="nonsense"), good=False)
    assert failed.status != 0
    assert "failed to validate" in failed.output
    assert on(HOST, f"sha256sum {site}; {RELOADS}") == before
    assert ask(untouched, Question(SIGNED, "good")).status == 200


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
    end = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=15)
    brief = issue("brief", purposes=[CLIENT], not_before=NOW - timedelta(days=1), not_after=end)
    for suffix, content in (("cert", brief.certificate), ("key", brief.private_key)):
        registries.material.write(f"brief.{suffix}", content)
    registries.lay_on_node()
    save = [Question(port, "brief", client="openssl", version=version, session="save") for version in ("1.2", "1.3")]
    assert [answer.status for answer in registries.ask(*save)] == [200, 200]
    time.sleep(max(0, (end - datetime.now(UTC)).total_seconds()) + 1)
    for answer in registries.ask(*(replace(question, session="reuse") for question in save)):
        assert (answer.outcome, answer.reused) == ("403 client certificate has expired", True)


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


def test_the_site_that_was_there_for_unknown_names_stays_it(restored: Fleet, on: OnHost) -> None:
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
        restored.lay(restored.by_policy["signed_by_ca"])
        sites = on(HOST, "apache2ctl -t -D DUMP_VHOSTS")
        assert re.search(rf"\*:{SIGNED} .*\n +default server other.lab ", sites)
        assert on(HOST, f"find /etc/apache2 -name '*certs-d-{NAME}_{SIGNED}.conf' | sort").split() == [files, link]
        assert "self-signed" in ask(restored, Question(SIGNED, "good", name="", host="nowhere.lab")).error
        assert ask(restored, Question(SIGNED, "good")).status == 200
    finally:
        on(HOST, f"rm {other} && systemctl reload apache2")


def test_a_tree_that_another_registry_serves_is_not_purged(pushed: Fleet, second: Fleet, on: OnHost) -> None:
    static = replace(SECOND, root=PUSHED.root)
    second.lay(static)
    lay_tree(second.material.folder / "shared", PUSHED.root)
    # Its backend is not told.
    second.remove(replace(PUSHED, backend="static"), purge_tree=True)
    on(HOST, f"test -d {PUSHED.root}/store && test ! -e {PUSHED.root}/certs-d-{NAME}_5005")
    second.remove(static, purge_tree=True)
    assert on(HOST, f"ls -A {PUSHED.root}") == "secret\n"
    on(HOST, f"rm -r {PUSHED.root}")


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


def test_a_registry_goes_without_a_trace_and_the_others_stay(restored: Fleet, second: Fleet, on: OnHost) -> None:
    signed = restored.by_policy["signed_by_ca"]
    restored.remove(signed)
    assert on(HOST, f"find /etc -name '*certs-d-{NAME}_{SIGNED}*'") == ""
    on(HOST, f"test -f /var/log/apache2/certs-d-{NAME}_{SIGNED}_access.log && test -d {ROOT}/v2")
    # Its neighbour goes on listening on the port, and takes no client of the one that went.
    assert ask(second, Question(SIGNED, "foreign", name="second.lab", host="second.lab")).status == 200
    assert ask(second, Question(SIGNED, "good")).outcome == "handshake refused"
    assert ask(second, Question(5003, "good")).status == 200
    assert re.search(r"changed=0 ", restored.remove(signed).output)


def test_the_last_registry_takes_the_gate_along_and_leaves_apache(
    registries: Fleet, on: OnHost, playbook: Ansible, tmp_path_factory: pytest.TempPathFactory
) -> None:
    ours = Registry(f"{NAME}:5000")
    try:
        registries.remove(*registries.by_policy.values(), ours, purge_tree=True)
        assert on(HOST, "ls /etc/apache2 /etc/apache2/sites-available | grep -c certs-d || true") == "0\n"
        # What is not of the tree stays, and so does the lab's own tree.
        assert on(HOST, f"ls -A {ROOT}") == "secret\n"
        on(HOST, "test ! -e /usr/local/lib/certs-d-registry && test -d /srv/certs-d-registry")
        on(HOST, "systemctl is-active apache2 && apache2ctl -t && ss -Hltn 'sport = :80' | grep -q :80")
        assert on(HOST, "ss -Hltn 'sport >= :5000 and sport <= :5004'") == ""
    finally:
        playbook(PROJECT / "playbooks" / "registry.yml").good()
        lay_tree(tmp_path_factory.mktemp("again"))
        registries.lay(*registries.by_policy.values())


def check_nothing_changes(fleet: Fleet, on: OnHost, *registries: Registry) -> None:
    before = on(HOST, RELOADS)
    again = fleet.lay(*registries)
    assert re.search(r"registry1 .* changed=0 ", again.output), again.output
    assert on(HOST, RELOADS) == before


def ask(fleet: Fleet, question: Question) -> Answer:
    (answer,) = fleet.ask(question)
    return answer
