# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The registry's rates: read from ApacheBench's report, and set beside plain Apache's."""

from __future__ import annotations

import pytest

from ansible_collections.fleet.certs_d.tests.bench.registry.load import (
    BLOB,
    GATE,
    MANIFEST,
    PIPE,
    PLAIN,
    Case,
    LoadFailed,
    Rate,
    cases,
    command,
    rate,
)
from ansible_collections.fleet.certs_d.tests.bench.registry.report import report

CASE = Case(GATE, BLOB, 32, 64)
SAID = """\
Document Length:        1000 bytes
Complete requests:      64
Failed requests:        0
HTML transferred:       64000 bytes
Requests per second:    12.50 [#/sec] (mean)
Transfer rate:          1000000.00 [Kbytes/sec] received
"""


def test_the_rates_are_those_of_the_report() -> None:
    assert rate(CASE, SAID) == Rate(12.5, 1024.0)


@pytest.mark.parametrize(
    ("said", "instead"),
    [
        ("Complete requests:      64", "Complete requests:      63"),
        ("Failed requests:        0", "Failed requests:        1"),
        ("HTML transferred:       64000", "HTML transferred:       63999"),
        ("Document Length:        1000", "Document Length:        0"),
        ("Failed requests:        0", "Failed requests:        0\nNon-2xx responses:      64"),
    ],
)
def test_a_request_that_did_not_get_the_file_ends_the_measurement(said: str, instead: str) -> None:
    with pytest.raises(LoadFailed, match="the role"):
        rate(CASE, SAID.replace(said, instead))


@pytest.mark.parametrize(("closed", "left"), [(3, Rate(12.5 * 61 / 64, 1024.0)), (4, None)])
def test_a_connection_that_was_being_closed_is_no_request_unless_there_are_many(closed: int, left: Rate | None) -> None:
    said = SAID.replace("requests:        0", f"requests:        {closed}").replace("64000", f"{64 - closed}000")
    if left is None:
        with pytest.raises(LoadFailed):
            rate(CASE, said)
    else:
        assert rate(CASE, said) == left


def test_every_way_is_measured_with_one_client_and_with_many() -> None:
    found = {(case.way, case.what, case.clients) for case in cases(quick=False)}
    assert found == {
        (way, what, clients) for way in (PLAIN, GATE, PIPE) for what in (BLOB, MANIFEST) for clients in (1, 32)
    }


def test_the_command_names_the_way_s_port() -> None:
    line = command(CASE, "/v2/x", host="registry.lab", pair="/root/pair.pem")
    assert line == "ab -q -k -s 120 -n 64 -c 32 -E /root/pair.pem https://registry.lab:5600/v2/x"


def test_ratios_are_taken_within_a_round_and_judged() -> None:
    rates = {
        CASE._replace(way=PLAIN): [Rate(10, 1000), Rate(20, 2000), Rate(30, 3000)],
        CASE: [Rate(9.5, 950), Rate(19, 1900), Rate(15, 1500)],
    }
    assert report(rates).splitlines() == [
        "The registry beside plain Apache",
        "",
        "what         clients  way           runs  requests/s         range    MB/s  : plain",
        "100 MB blob       32  plain Apache     3        20.0  10.0 .. 30.0  2000.0     1.00",
        "100 MB blob       32  the role         3        15.0   9.5 .. 19.0  1500.0     0.95",
        "",
        "Goals",
        "",
        "goal                                  clients  ratio   wanted  verdict",
        "100 MB blob, the role : plain Apache       32   0.95  >= 0.90  met",
    ]


def test_a_goal_may_be_missed() -> None:
    rates = {CASE._replace(way=PLAIN): [Rate(10, 1000)], CASE: [Rate(8, 800)]}
    assert "0.80  >= 0.90  missed" in report(rates)
