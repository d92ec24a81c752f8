# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the effective verdict: what the engines of today were measured to do."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from ansible_collections.fleet.certs_d.plugins.module_utils._hosts_toml import hosts_toml
from ansible_collections.fleet.certs_d.plugins.plugin_utils import _effective
from ansible_collections.fleet.certs_d.plugins.plugin_utils._verdict import is_known
from ansible_collections.fleet.certs_d.tests.unit.matrix import (
    NAME,
    REFUSED,
    asks_for,
    facts,
    finding,
    registry,
    row,
)

NOW = datetime(2026, 11, 1, tzinfo=UTC)
UNANSWERED = {"asks_for": None, "asks_for_why": "this Python does not tell"}


def effective(measured: dict[str, Any]) -> dict[str, Any]:
    return _effective.effective(measured, now=NOW)


def attempts(verdict: dict[str, Any]) -> list[tuple[str | None, int | str]]:
    return [(each["pair"], each["status"] or each["error"]) for each in verdict["attempts"]]


@pytest.mark.parametrize("engine", ["docker", "containers", "containerd"])
@pytest.mark.parametrize(
    ("pairs", "presents", "answer"),
    [
        (["bad", "good"], "bad", 403),
        (["good", "bad"], "good", 200),
        (["broken", "good"], "broken", 500),
        (["unavailable", "good"], "unavailable", 503),
        (["expired", "good"], "expired", REFUSED),
        (["denied", "good"], "denied", 401),
        (["missing", "good"], "missing", 404),
        ([], None, 403),
    ],
    ids=str,
)
def test_no_engine_goes_on_to_the_next_pair(
    engine: str, pairs: list[str], presents: str | None, answer: int | str
) -> None:
    verdict = effective(registry(*pairs, engine=engine, store="classic" if engine == "docker" else None))
    assert attempts(verdict) == [(presents, answer)]
    assert verdict["pair"] == (presents if answer == 200 else None)


def test_the_names_of_issuers_let_a_foreign_pair_be_passed_over() -> None:
    pairs = [facts("bad", issuers=["ca1"]), facts("good", issuers=["ca2"])]
    named = registry("bad", "good", measured={"pairs": pairs, "asks_for": asks_for("ca2")})
    assert attempts(effective(named)) == [("good", 200)]
    unnamed = registry("bad", "good", measured={"pairs": pairs})
    assert attempts(effective(unnamed)) == [("bad", 403)]


def test_where_no_pair_fits_no_certificate_is_sent() -> None:
    verdict = effective(registry("good", measured={"asks_for": asks_for("ca2")}))
    assert attempts(verdict) == [(None, 403)]
    assert verdict["reason"] == (
        "docker would present no certificate, since of good none fits: the registry names other CAs than its issuer "
        f"(CN=ca2); {NAME} refuses it (403)"
    )


def test_the_reason_says_what_to_do() -> None:
    measured = registry("bad-10", "good-20")
    measured["client_pairs"][0]["days_left"] = -3
    assert effective(measured)["reason"] == (
        f"docker would present bad-10 (expired 3 days ago); {NAME} refuses it (403); "
        "good-20 would be accepted: remove or rename bad-10"
    )
    measured["client_pairs"][0].update(days_left=90, not_before="2026-12-01T00:00:00Z")
    assert "bad-10 (not yet valid)" in effective(measured)["reason"]


def test_the_reason_of_an_admission_names_engine_pair_and_registry() -> None:
    assert effective(registry("good"))["reason"] == f"docker presents good, and {NAME} lets it in"
    assert effective(registry(without=200))["reason"] == f"docker presents no certificate, and {NAME} lets it in"


@pytest.mark.parametrize("pairs", [["bad"], ["bad", "good"]], ids=str)
def test_what_a_python_can_not_tell_is_unknown_and_says_so(pairs: list[str]) -> None:
    verdict = effective(registry(*pairs, without=401, measured=UNANSWERED))
    assert not is_known(verdict)
    assert verdict["reason"] == (
        f"what docker presents is unknown: which certificates {NAME} asks for: this Python does not tell"
    )


def test_it_is_known_all_the_same_where_every_request_ends_alike() -> None:
    measured = registry("bad", measured=UNANSWERED)
    measured["requests"] = [row("bad", "Connection refused"), row(None, "Connection refused")]
    verdict = effective(measured)
    assert attempts(verdict) == [(None, "Connection refused")]
    assert verdict["reason"] == (
        f"docker does not come as far as presenting a certificate to {NAME}: Connection refused"
    )


def test_who_does_not_trust_the_registry_presents_nothing() -> None:
    measured = registry("good")
    error = "the registry's certificate is not accepted: unable to get local issuer certificate"
    measured["requests"] = [row("good", error), row(None, error)]
    verdict = effective(measured)
    assert attempts(verdict) == [(None, error)]
    assert "does not come as far as presenting a certificate" in verdict["reason"]


@pytest.mark.parametrize("engine", ["docker", "containers", "containerd"])
def test_a_fault_of_a_pair_stops_every_pull_though_a_sound_pair_stands_before_it(engine: str) -> None:
    verdict = effective(registry("good", findings=[finding("key-missing", "zz.cert")], engine=engine, store="classic"))
    assert (verdict["error"], verdict["attempts"]) == ("zz.cert: key-missing", [])


@pytest.mark.parametrize(
    ("engine", "store", "stopped"),
    [
        ("docker", "classic", False),
        ("docker", "containerd", True),
        ("containers", None, False),
        ("containerd", None, True),
    ],
)
def test_a_junk_root_stops_containerds_resolver_alone(engine: str, store: str | None, stopped: bool) -> None:
    junk = [finding("certificate-junk", "junk.crt")]
    assert (effective(registry("good", findings=junk, engine=engine, store=store))["attempts"] == []) is stopped


@pytest.mark.parametrize(("engine", "pair"), [("containerd", "good"), ("containers", None), ("docker", None)])
def test_a_key_that_stands_in_the_certificates_file_is_found_by_containerds_resolver(
    engine: str, pair: str | None
) -> None:
    measured = registry("good", findings=[finding("key-missing", "good.cert")], engine=engine)
    assert effective(measured)["pair"] == pair


@pytest.mark.parametrize("code", ["not-a-file", "dangling-link", "too-large"])
@pytest.mark.parametrize(
    ("engine", "store", "stopped"),
    [
        ("containerd", None, False),
        ("docker", "containerd", False),
        ("docker", "classic", True),
        ("containers", None, True),
    ],
)
def test_containerds_resolver_looks_for_no_key_but_that_of_a_certificate(
    engine: str, store: str | None, stopped: bool, code: str
) -> None:
    measured = registry("good", findings=[finding(code, "zz.key")], engine=engine, store=store)
    assert (effective(measured)["attempts"] == []) is stopped
    measured["measured"]["files"].append("zz.cert")
    assert effective(measured)["attempts"] == []
    # A folder of that name is no certificate.
    measured["findings"].append(finding("not-a-file", "zz.cert"))
    assert (effective(measured)["attempts"] == []) is stopped


class TestLoopback:
    """The classic dockerd counts loopback addresses as insecure, and others that its settings name."""

    @staticmethod
    def measured(store: str | None, **changes: Any) -> dict[str, Any]:
        local = {"loopback": True, "insecure": True, "insecure_request": row(None, 403)}
        return registry("good", store=store, measured=local, **changes)

    def test_the_classic_docker_reads_no_certificates(self) -> None:
        verdict = effective(self.measured("classic"))
        assert attempts(verdict) == [(None, 403)]
        assert "reads no certs.d for a loopback address" in verdict["reason"]

    def test_nor_for_a_registry_that_it_was_told_not_to_verify(self) -> None:
        measured = self.measured("classic")
        measured["measured"]["loopback"] = False
        assert "for a registry that its settings call insecure" in effective(measured)["reason"]

    def test_all_others_do(self) -> None:
        assert effective(self.measured("containerd"))["pair"] == "good"
        assert effective(self.measured(None, engine="containers"))["pair"] == "good"

    def test_containerds_way_depends_on_its_version(self) -> None:
        verdict = effective(self.measured(None, engine="containerd"))
        assert not is_known(verdict)
        assert "1.6 asks a loopback address by plain HTTP" in verdict["reason"]

    def test_but_not_where_hosts_toml_tells_it(self) -> None:
        measured = self.measured(None, engine="containerd")
        measured["measured"]["hosts_toml"] = hosts_toml(NAME, roots=["ca.crt"], pairs=["good"], fallback=True)
        assert effective(measured)["pair"] == "good"

    def test_it_is_unknown_where_no_docker_tells_its_store(self) -> None:
        verdict = effective(self.measured(None))
        assert not is_known(verdict)
        assert "it depends on docker's image store" in verdict["reason"]

    def test_and_where_nothing_was_asked(self) -> None:
        measured = self.measured("classic")
        measured["measured"]["insecure_request"] = None
        assert not is_known(effective(measured))


class TestHostsToml:
    """containerd's resolver goes from host to host."""

    @staticmethod
    def measured(*pairs: str, engine: str = "containerd", store: str | None = None, **changes: Any) -> dict[str, Any]:
        text = hosts_toml(NAME, roots=["ca.crt"], pairs=pairs, fallback=True)
        return registry(*pairs, engine=engine, store=store, measured={"hosts_toml": text}, **changes)

    @pytest.mark.parametrize(
        ("pairs", "saw"),
        [
            (["bad", "good"], [("bad", 403), ("good", 200)]),
            (["bad", "unavailable", "good"], [("bad", 403), ("unavailable", 503), ("good", 200)]),
            (["expired", "good"], [("expired", REFUSED), ("good", 200)]),
            (["denied", "missing", "good"], [("denied", 401), ("missing", 404), ("good", 200)]),
            (["good", "bad"], [("good", 200)]),
            (["bad", "broken"], [("bad", 403), ("broken", 500)]),
        ],
        ids=str,
    )
    @pytest.mark.parametrize(("engine", "store"), [("containerd", None), ("docker", "containerd")])
    def test_it_asks_with_the_next_pair(
        self, engine: str, store: str | None, pairs: list[str], saw: list[tuple[str, int | str]]
    ) -> None:
        assert attempts(effective(self.measured(*pairs, engine=engine, store=store))) == saw

    @pytest.mark.parametrize(("engine", "store"), [("containers", None), ("docker", "classic")])
    def test_others_do_not_read_it(self, engine: str, store: str | None) -> None:
        assert attempts(effective(self.measured("bad", "good", engine=engine, store=store))) == [("bad", 403)]

    def test_the_sentence_tells_the_way(self) -> None:
        assert effective(self.measured("bad", "good"))["reason"] == (
            f"containerd presents good after bad (403), and {NAME} lets it in"
        )
        assert effective(self.measured("bad", "broken"))["reason"] == (
            f"{NAME} does not let containerd in: broken (500) after bad (403)"
        )

    def test_docker_that_does_not_run_is_unknown_where_its_store_decides(self) -> None:
        assert not is_known(effective(self.measured("bad", "good", engine="docker")))
        assert effective(self.measured("good", engine="docker"))["pair"] == "good"

    def test_only_the_files_that_it_names_are_read(self) -> None:
        verdict = effective(self.measured("good", findings=[finding("key-missing", "zz.cert")]))
        assert verdict["pair"] == "good"
        assert effective(self.measured("good", findings=[finding("key-mismatch", "good.cert")]))["attempts"] == []

    def test_a_pair_that_can_not_be_loaded_fails_the_whole(self) -> None:
        measured = self.measured("good", "bad")
        measured["measured"]["pairs"] = [facts("good")]
        verdict = effective(measured)
        assert verdict["error"] == "bad: hosts.toml names it"

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ('[host."https://mirror.lab"]\n', "another host, mirror.lab"),
            (f'[host."https://{NAME}"]\n', "its CA roots are not the .crt files"),
            (f'[host."http://{NAME}"]\n', "not asked by TLS"),
        ],
    )
    def test_what_was_never_asked_is_unknown(self, text: str, words: str) -> None:
        verdict = effective(registry("good", engine="containerd", measured={"hosts_toml": text}))
        assert not is_known(verdict)
        assert words in verdict["reason"]

    def test_a_host_that_is_not_reached_may_be_unknown(self) -> None:
        text = f'[host."https://{NAME}"]\nca = ["ca.crt"]\nclient = [["good.cert", "good.key"]]\n'
        measured = registry("good", engine="containerd", measured={"hosts_toml": text})
        assert attempts(effective(measured)) == [("good", 200)]

    def test_a_file_that_is_no_toml_is_as_none(self) -> None:
        verdict = effective(registry("good", engine="containerd", measured={"hosts_toml": "junk"}))
        assert attempts(verdict) == [("good", 200)]

    def test_what_a_python_can_not_tell_is_unknown(self) -> None:
        measured = self.measured("bad", "good")
        measured["measured"].update(UNANSWERED)
        assert not is_known(effective(measured))


def test_an_answer_that_is_no_refusal_is_told_as_it_is() -> None:
    assert f"{NAME} answers 500" in effective(registry("broken"))["reason"]
