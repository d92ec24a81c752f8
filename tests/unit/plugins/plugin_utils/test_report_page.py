# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the report's page as text; tests/page looks at it in a browser."""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from html.parser import HTMLParser
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.fleet.certs_d.plugins.plugin_utils._fleet_report import build
from ansible_collections.fleet.certs_d.plugins.plugin_utils._fleet_table import Record
from ansible_collections.fleet.certs_d.plugins.plugin_utils._report_page import render, rows_of
from ansible_collections.fleet.certs_d.plugins.plugin_utils._report_shape import text as shown
from ansible_collections.fleet.certs_d.tests.unit.fleet_sample import (
    MADE,
    after,
    good,
    large,
    server,
    small,
    spoiled,
    unasked,
    verified,
)


class Elements(HTMLParser):
    """Counts elements and their attributes, and collects texts."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.seen: list[tuple[str, tuple[str, ...]]] = []
        self.texts: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, tuple(name for name, _value in attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def page(*records: Record, made: str = MADE) -> str:
    return render(build(records, made=made))


def test_the_same_report_makes_the_same_page() -> None:
    assert page(*small()) == page(*reversed(small()))


def test_only_the_time_differs_in_a_page_that_is_made_again() -> None:
    one, other = page(*small()), page(*small(), made=after(-0.01))
    differing = [a for a, b in zip(one.splitlines(), other.splitlines(), strict=True) if a != b]
    assert len(differing) == 1
    assert "Made by" in differing[0]


def test_it_asks_nothing_of_the_network() -> None:
    text = page(*small())
    assert not re.search(
        r"""(?:src|href|action)=(?!["'](?:#|data:,["']))""", text.replace("&#34;&gt;&lt;img src=x", "")
    )
    assert "url(" not in text
    assert "@import" not in text


def test_style_and_script_are_allowed_by_their_hashes() -> None:
    text = page(*small())
    for tag in ("style", "script"):
        (content,) = re.findall(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        digest = b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in text


def test_rows_that_somebody_must_look_at_come_first_and_hosts_in_the_order_of_numbers() -> None:
    rows = [(row.host, row.state) for row in rows_of(build(small()[:-1], made=MADE))]
    assert rows == [
        ("node2", "failed"),
        ("node3", "failed"),
        ("node4", "failed"),
        ("node10", "failed"),
        ("ghost", "unreachable"),
        ("node5", "not reached"),
        ("node6", "not verified (check mode)"),
        ("node1", "verified"),
        ("node1", "verified"),
    ]


def test_the_oldest_measurement_of_merged_slices_is_told() -> None:
    report = build(small(), made=MADE)
    assert "oldest measurement" not in render(report)
    assert "The oldest measurement in it is of" in render({**report, "made": after(2)})


def test_what_the_node_saw_of_the_server_is_told() -> None:
    seen = {
        **server(proxy="http://proxy:3128", name_fits=False, warnings=["odd"]),
        "token_realm": "https://auth.example/",
    }
    (row,) = rows_of(build([verified("node1", good("node1", server=seen))], made=MADE))
    assert (
        "Registry: 192.0.2.10, TLSv1.3, TLS_AES_256_GCM_SHA384, through the proxy http://proxy:3128,"
        " its certificate does not have this name, clocks +0.4 s apart, /v1/ answers 404, /v2/ answers 200,"
        " tokens from https://auth.example/\n"
    ) in row.more
    assert row.more.endswith("Warning: odd")


def test_the_words_of_a_row() -> None:
    (row,) = rows_of(build([verified("node2", spoiled("node2"))], made=MADE))
    assert [each.word for each in row.verdicts] == ["error", "error", "let in (200)"]
    assert (row.expires_told, row.expires_pair, row.days) == ("3 days ago", "10-old", -3)
    (row,) = rows_of(build([verified("node1", unasked("node1"))], made=MADE))
    assert [each.word for each in row.verdicts] == ["let in (200)", "unknown", "let in (200)"]
    assert row.expires_told == "in 89 days"


@settings(deadline=None, max_examples=50)
@given(st.lists(st.text(st.characters(), min_size=1), min_size=4, max_size=4))
def test_whatever_a_host_tells_stays_a_text(texts: list[str]) -> None:
    name, reason, engine, fault = texts
    entry: dict[str, Any] = {**good("a"), "name": name, "engine": engine, "complaint": reason, "expected": False}
    plain = {**good("a"), "name": "x", "engine": "x", "complaint": "x", "expected": False}
    told = Elements(page(verified("a", entry), Record("b", f"x{fault}", {})))
    assert told.seen == Elements(page(verified("a", plain), Record("b", "xx", {}))).seen
    assert shown(reason, "") in told.texts


def test_a_thousand_hosts_are_a_page_of_some_megabytes() -> None:
    assert len(page(*large(1_000))) < 5_000_000
