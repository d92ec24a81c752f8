# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The gate before a registry that takes pushes: the real program with the questions that mod_rewrite asks it."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

import pytest

from ansible_collections.fleet.certs_d.tests.unit.material import Issued

GATE = Path(__file__).parents[4] / "roles/registry/files/gate-map"
BLOB = f"sha256:{'0' * 64}"
# What Apache's internal map `escape` leaves alone.
SAFE = "$-_.+!*'(),:@&=/~"


class Said(NamedTuple):
    """An answer: `yes` or a status, and why."""

    word: str
    fingerprint: str
    code: str
    reason: str
    logged: str


class Gate:
    """The program, asked as Apache asks it: one line, one answer."""

    def __init__(self, settings: dict[str, str], client: dict[str, str]) -> None:
        words = [f"{name}={value}" for name, value in settings.items()]
        self.process = subprocess.Popen([GATE, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.client = client

    def ask(self, method: str, path: str, query: str = "", **changes: str) -> Said:
        values = {"METHOD": method, "URI": path, "QUERY": query, "HOST": "192.0.2.1"}
        return self.send({**values, **self.client, **changes})

    def send(self, values: dict[str, str]) -> Said:
        return parse(self.say(" ".join(f"{name}={quote(value, SAFE)}" for name, value in values.items())))

    def say(self, line: str) -> str:
        """The raw answer to a raw line, empty when the program has ended."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().decode()

    def end(self) -> None:
        """Nobody asks any more; it waits until no process of it is left that could answer."""
        assert self.process.stdin
        assert self.process.stdout
        if not self.process.stdin.closed:
            self.process.stdin.close()
            self.process.stdout.read()
            self.process.stdout.close()
        self.process.wait(10)


def parse(answer: str) -> Said:
    first, reason, logged = answer.rstrip("\n").split("|", 2)
    return Said(*first.split(" "), reason, logged)


@pytest.fixture
def lists(tmp_path: Path) -> dict[str, str]:
    """Who is let in, and who may push."""
    (tmp_path / "clients").write_text(
        "subject\tCN=all\t*\nsubject\tCN=team\tteam/* shared\nsubject\tCN=reader\tteam/*\nsan\tDNS:named.lab\tnamed\n"
    )
    (tmp_path / "pushers").write_text("subject\tCN=all\t*\nsubject\tCN=team\tteam/* secret/*\n")
    return {"CERTS_D_CLIENTS": str(tmp_path / "clients"), "CERTS_D_PUSHERS": str(tmp_path / "pushers")}


@pytest.fixture
def start(client: Issued, lists: dict[str, str]) -> Iterator[Callable[..., Gate]]:
    """Starts the program with settings that are changed; None leaves one out."""
    started = []

    def start(subject: str = "CN=all", **changes: str | None) -> Gate:
        usual = {"CERTS_D_POLICY": "allowlist", "CERTS_D_CLIENT_CA": "yes", "CERTS_D_SESSIONS_END": "1"}
        settings = {**usual, **lists, **changes}
        asked = {
            "HTTPS": "on",
            "SSL_SESSION_RESUMED": "Initial",
            "SSL_CLIENT_VERIFY": "SUCCESS",
            "SSL_CLIENT_S_DN": subject,
            "SSL_CLIENT_V_REMAIN": "59",
            "SSL_CLIENT_CERT": client.certificate,
        }
        started.append(Gate({name: value for name, value in settings.items() if value is not None}, asked))
        return started[-1]

    yield start
    for gate in started:
        gate.end()


Start = Callable[..., Gate]
READS = [f"/v2/team/a/blobs/{BLOB}", "/v2/team/a/manifests/1.0", f"/v2/team/a/manifests/{BLOB}", "/v2/team/a/tags/list"]
WRITES = [
    ("POST", "/v2/team/a/blobs/uploads/"),
    ("PATCH", "/v2/team/a/blobs/uploads/8e2b-1"),
    ("PUT", "/v2/team/a/blobs/uploads/8e2b-1"),
    ("GET", "/v2/team/a/blobs/uploads/8e2b-1"),
    ("PUT", "/v2/team/a/manifests/1.0"),
]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("path", ["/v2/", *READS])
def test_who_is_let_in_reads(start: Start, client: Issued, method: str, path: str) -> None:
    said = start("CN=reader").ask(method, path)
    assert (said.word, said.fingerprint) == ("yes", hashlib.sha256(client.der).digest().hex(":"))


@pytest.mark.parametrize(("method", "path"), WRITES)
def test_who_may_push_pushes_and_others_do_not(start: Start, method: str, path: str) -> None:
    assert start("CN=team").ask(method, path).word == "yes"
    refused = start("CN=reader").ask(method, path)
    assert (refused.word, refused.code) == ("403", "DENIED")
    assert refused.reason == "client certificate has no right to push this"


@pytest.mark.parametrize(
    ("repository", "word"),
    [("team/a", "yes"), ("team", "403"), ("shared", "403"), ("secret/a", "403"), ("other", "403")],
)
def test_a_push_needs_the_right_to_push_and_the_right_to_read(start: Start, repository: str, word: str) -> None:
    assert start("CN=team").ask("POST", f"/v2/{repository}/blobs/uploads/").word == word


@pytest.mark.parametrize("pushers", [None, "", "/nowhere"])
def test_without_a_list_nobody_pushes(start: Start, pushers: str | None) -> None:
    gate = start(CERTS_D_PUSHERS=pushers)
    assert gate.ask("GET", "/v2/").word == "yes"
    assert gate.ask("PUT", "/v2/team/a/manifests/1.0").word == "403"


def test_a_damaged_list_is_nobodys(start: Start, lists: dict[str, str]) -> None:
    Path(lists["CERTS_D_PUSHERS"]).write_text("subject\tCN=all\t*\nsubject CN=all *\n")
    assert start().ask("PUT", "/v2/team/a/manifests/1.0").word == "403"


@pytest.mark.parametrize("method", ["DELETE", "OPTIONS", "CONNECT", "get", "G*T", ""])
@pytest.mark.parametrize("path", ["/v2/", "/v2/_catalog", *READS, "/v2/team/a/blobs/uploads/", WRITES[1][1]])
def test_no_other_method_is_known(start: Start, method: str, path: str) -> None:
    assert start().ask(method, path).word == "405"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        *(("PUT", path) for path in ("/v2/", "/v2/_catalog", READS[0], READS[3])),
        *(("POST", path) for path in ("/v2/", *READS, WRITES[1][1])),
        ("PATCH", READS[1]),
        ("GET", "/v2/team/a/blobs/uploads/"),
        ("PUT", "/v2/team/a/blobs/uploads/"),
    ],
)
def test_a_method_belongs_to_a_path(start: Start, method: str, path: str) -> None:
    assert start().ask(method, path).word == "405"


def test_the_catalog_is_for_those_who_may_read_all(start: Start) -> None:
    assert start("CN=all").ask("GET", "/v2/_catalog").word == "yes"
    assert start("CN=reader").ask("GET", "/v2/_catalog").word == "403"


@pytest.mark.parametrize(
    "path",
    [
        "",
        "*",
        "/",
        "/v2",
        "/v1/_ping",
        "/v2//team/a/tags/list",
        "/v2/team//a/tags/list",
        "/v2/team/../secret/tags/list",
        "/v2/team/./a/tags/list",
        "/v2/team/a/tags/list/",
        "/v2/team/a/tags/list\n",
        "/v2/team/a%2ftags/list",
        "/v2/team/a?x=/tags/list",
        "/v2/team/a;x/tags/list",
        "/v2/team/a\\b/tags/list",
        "/v2/team/a b/tags/list",
        "/v2/team/*/tags/list",
        "/v2/Team/a/tags/list",
        "/v2/team/ä/tags/list",
        "/v2/team/a/manifests/-x",
        "/v2/team/a/manifests/sha256:00",
        f"/v2/team/a/blobs/{BLOB}0",
        f"/v2/team/a/blobs/md5:{'0' * 32}",
        "/v2/team/a/blobs/uploads/x/y",
        "/v2/team/a/blobs/uploads/%2e%2e",
        f"/v2/{'a/' * 300}tags/list",
        f"/v2/team/a/referrers/{BLOB}",
    ],
)
def test_what_is_not_spelt_in_the_one_way_is_not_known(start: Start, path: str) -> None:
    assert start().ask("GET", path).word == "404"


FROM = f"mount={quote(BLOB, '')}&from="


@pytest.mark.parametrize(
    ("query", "word"),
    [
        (f"{FROM}team%2Fb", "yes"),
        (f"{FROM}shared", "yes"),
        (f"from=team/b&mount={BLOB}", "yes"),
        (f"mount={BLOB}", "yes"),
        (f"digest={BLOB}&origin=x", "yes"),
        ("", "yes"),
        (f"{FROM}secret%2Fb", "403"),
        (f"{FROM}other", "403"),
        (f"{FROM}%6fther", "403"),
        (f"{FROM}team/b&from=other", "400"),
        (f"fr%6fm=other&mount={BLOB}", "400"),
        (f"{FROM}team/b%00", "400"),
        (f"{FROM}team/b;from=other", "400"),
        (f"{FROM}team/b+x", "400"),
        (f"{FROM}team%2", "400"),
        (f"{FROM}team%252Fb", "400"),
        (f"{FROM}../other", "400"),
        (f"{FROM}*", "400"),
        ("from", "400"),
        (f"{FROM}team/b&x=%5c", "yes"),
        (f"{FROM}team/b&&x=1", "400"),
        (f"{FROM}team/b&x=1 from=other", "400"),
        ("x" * 4001, "404"),
    ],
)
def test_a_blob_is_taken_over_only_from_what_may_be_read(start: Start, query: str, word: str) -> None:
    assert start("CN=team").ask("POST", "/v2/team/a/blobs/uploads/", query).word == word


@pytest.mark.parametrize(
    "changes",
    [
        {"HTTPS": "off"},
        {"HTTPS": ""},
        {"SSL_CLIENT_CERT": ""},
        {"SSL_CLIENT_VERIFY": ""},
        {"SSL_CLIENT_VERIFY": "NONE"},
        {"SSL_CLIENT_VERIFY": "GENEROUS"},
        {"SSL_CLIENT_VERIFY": "FAILED:self-signed certificate"},
        {"SSL_CLIENT_S_DN": ""},
        {"SSL_CLIENT_S_DN": "CN=nobody"},
        {"SSL_CLIENT_S_DN": "CN=all "},
        {"SSL_CLIENT_V_REMAIN": "0", "SSL_CLIENT_V_END": "Jan  1 00:00:00 2020 GMT"},
        {"SSL_CLIENT_V_REMAIN": "0"},
    ],
)
def test_whoever_is_not_let_in_learns_nothing_about_paths(start: Start, changes: dict[str, str]) -> None:
    gate = start()
    answers = {gate.ask(method, path, **changes)[:4] for method in ("GET", "PUT", "DELETE") for path in ("/v2/", "/x")}
    assert len(answers) == 1
    assert answers.pop()[0] == "403"
    assert gate.ask("GET", "/v2/").word == "yes"


@pytest.mark.parametrize(
    "changes",
    [
        {"CERTS_D_POLICY": None},
        {"CERTS_D_POLICY": "none"},
        {"CERTS_D_CLIENTS": None},
        {"CERTS_D_CLIENTS": "/nowhere"},
        {"CERTS_D_CLIENT_CA": None},
    ],
)
def test_what_is_unset_or_unknown_lets_nobody_in(start: Start, changes: dict[str, str | None]) -> None:
    assert start(**changes).ask("GET", "/v2/").word == "403"


@pytest.mark.parametrize(
    "line", ["", " ", "METHOD=GET", "GET /v2/", "PATH=/x URI=/v2/ METHOD=GET", "a" * 200_000, "%00%"]
)
def test_a_line_that_is_no_question_is_no_yes_and_the_next_has_its_own_answer(start: Start, line: str) -> None:
    gate = start()
    assert parse(gate.say(line)).word == "403"
    assert gate.ask("GET", "/v2/").word == "yes"


# What a client makes long costs everybody, because the program answers one question after the other. What takes the
# square of the length takes half a minute and more here.
@pytest.mark.parametrize(
    "changes",
    [
        {"path": "/v2/" + "%" * 8000},
        {"path": "/v2/" + "\xff" * 8000},
        {"query": "%" * 8000},
        {"query": "&" * 8000},
        {"SSL_CLIENT_S_DN": 'CN="' * 5000},
        {"SSL_CLIENT_SAN_DNS_0": "%" * 20000},
    ],
)
@pytest.mark.parametrize("known", [{}, {"SSL_CLIENT_CERT": "", "SSL_CLIENT_VERIFY": "NONE"}])
def test_long_words_take_a_short_time(start: Start, known: dict[str, str], changes: dict[str, str]) -> None:
    gate = start()
    asked = {"method": "POST", "path": "/v2/team/a/blobs/uploads/", **known, **changes}
    began = time.monotonic()
    assert all(gate.ask(**asked).word for _time in range(20))
    assert time.monotonic() - began < 10


def test_the_log_names_the_subject_each_time(start: Start) -> None:
    gate = start(CERTS_D_POLICY="signed_by_ca")
    for _time in range(2):
        assert ' subject="CN=a|b" ' in gate.ask("GET", "/v2/", SSL_CLIENT_S_DN="CN=a|b").logged


@pytest.mark.parametrize(("end", "word"), [("never", "yes"), ("4000000000", "yes"), ("1", "403"), (None, "403")])
def test_a_session_is_not_resumed_beyond_the_end_of_what_it_was_verified_by(
    start: Start, end: str | None, word: str
) -> None:
    gate = start(CERTS_D_SESSIONS_END=end)
    assert gate.ask("GET", "/v2/").word == "yes"
    assert gate.ask("GET", "/v2/", SSL_SESSION_RESUMED="Resumed").word == word
    assert gate.ask("GET", "/v2/", SSL_SESSION_RESUMED="").word == word


def test_nothing_of_one_client_is_left_for_the_next(start: Start, client: Issued) -> None:
    gate = start()
    assert (
        gate.ask("GET", "/v2/named/tags/list", SSL_CLIENT_S_DN="CN=x", SSL_CLIENT_SAN_DNS_0="named.lab").word == "yes"
    )
    assert gate.ask("GET", "/v2/named/tags/list", SSL_CLIENT_S_DN="CN=x").word == "403"
    assert gate.ask("GET", "/v2/team/a/tags/list", SSL_CLIENT_S_DN="CN=reader").word == "yes"
    assert gate.ask("PUT", "/v2/team/a/manifests/1").word == "yes"
    assert gate.ask("PUT", "/v2/team/a/manifests/1", SSL_CLIENT_S_DN="CN=reader").word == "403"
    without = parse(gate.say("METHOD=GET URI=/v2/"))
    assert (without.word, without.fingerprint) == ("403", "-")


def test_a_client_on_its_last_day_is_looked_at_each_time(start: Start, lists: dict[str, str]) -> None:
    gate = start(CERTS_D_POLICY="signed_by_ca")
    soon = {"SSL_CLIENT_V_REMAIN": "0", "SSL_CLIENT_V_END": "Jan  1 00:00:00 2120 GMT"}
    assert gate.ask("PUT", "/v2/team/a/manifests/1", **soon).word == "yes"
    Path(lists["CERTS_D_PUSHERS"]).unlink()
    assert gate.ask("PUT", "/v2/team/a/manifests/1", **soon).word == "403"


def test_the_log_has_one_line_whatever_a_client_says(start: Start) -> None:
    gate = start(CERTS_D_POLICY="signed_by_ca")
    said = gate.ask("GET", '/v2/x"y\nz|', SSL_CLIENT_S_DN='CN=a" decision=yes|\n\x1b')
    assert said.word == "404"
    assert 'subject="CN=a\\" decision=yes|??"' in said.logged
    assert said.logged.endswith('request="GET /v2/x%22y%0Az%7C"')
    assert " decision=no " in said.logged


def test_answers_for_tests_refuse_whom_the_policy_lets_in(start: Start, client: Issued) -> None:
    fingerprint = hashlib.sha256(client.der).digest().hex(":")
    assert start(CERTS_D_TEST_ANSWERS=f"aa=403 {fingerprint}=503").ask("GET", "/v2/").word == "503"


def test_a_reload_of_apache_lets_requests_that_came_before_ask_on(start: Start) -> None:
    gate = start()
    assert gate.ask("GET", "/v2/").word == "yes"
    os.kill(gate.process.pid, signal.SIGTERM)
    gate.process.wait(10)
    assert gate.ask("GET", "/v2/").word == "yes"


def test_it_ends_when_nobody_is_left_to_ask(start: Start) -> None:
    gate = start()
    os.kill(gate.process.pid, signal.SIGTERM)
    gate.process.wait(10)
    ended = threading.Thread(target=gate.end, daemon=True)
    ended.start()
    ended.join(10)
    assert not ended.is_alive()
