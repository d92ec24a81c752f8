# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report's page in a real browser: it shows, filters, sorts, and harms nobody."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from ansible_collections.fleet.certs_d.plugins.plugin_utils._fleet_report import build
from ansible_collections.fleet.certs_d.plugins.plugin_utils._fleet_table import Record
from ansible_collections.fleet.certs_d.plugins.plugin_utils._report_page import render
from ansible_collections.fleet.certs_d.tests.page.conftest import Open
from ansible_collections.fleet.certs_d.tests.unit.fleet_sample import (
    HOSTILE,
    MADE,
    good,
    large,
    small,
    spoiled,
    unasked,
    verified,
)

ROWS = 1_980
# Pairs of what stands there and its ratio of contrast, as WCAG 2 counts it, for each element with a text of its own.
CONTRASTS = """() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const bytes = (color) => {
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const light = (color) => {
    const linear = (c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    const [r, g, b] = bytes(color).map((byte) => linear(byte / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (element) => {
    const color = getComputedStyle(element).backgroundColor;
    return color === "rgba(0, 0, 0, 0)" ? ground(element.parentElement) : color;
  };
  const own = (element) => [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
  return [...document.body.querySelectorAll("*:not(script, option)")].filter(own).map((element) => {
    const pair = [light(getComputedStyle(element).color), light(ground(element))].sort((a, b) => b - a);
    return [element.outerHTML.slice(0, 80), (pair[0] + 0.05) / (pair[1] + 0.05)];
  });
}"""


def hosts(page: Page) -> list[str]:
    """The hosts of the rows that are shown, in their order."""
    return page.locator("tbody tr:visible th").all_text_contents()


def test_each_host_and_registry_is_a_row_with_three_verdicts_and_their_reasons(show: Open) -> None:
    page = show([verified("node2", spoiled("node2")), verified("node1", good("node1"), unasked("node1"))])
    assert hosts(page) == ["node2", "node1", "node1"]
    cells = page.locator("tbody tr").first.locator("td").all_inner_texts()
    assert cells[:2] == ["registry.example:5000", "docker"]
    assert cells[2].startswith("failed")
    assert "remove or rename 10-old" in cells[3]
    assert "remote error: tls: expired certificate" in cells[4]
    assert cells[5].startswith("let in (200) 20-node")
    assert re.sub(r"\s+", " ", cells[6]) == "3 days ago 10-old 2026-11-23"
    assert "unknown" in page.locator("tbody tr", has_text="containers").inner_text()


def test_the_summary_counts(show: Open) -> None:
    tiles = [re.sub(r"\s+", " ", text) for text in show(small()).locator(".tiles li").all_inner_texts()]
    assert tiles == [
        "9 hosts",
        "1 verified",
        "4 failed",
        "2 unreachable",
        "2 not verified",
        "1 let in by the documented loop alone",
        "1 expired, of all certificates",
        "2 to expire within 30 days",
    ]


def test_the_timeline_tells_each_month_until_the_last(show: Open) -> None:
    lines = show([verified("node2", spoiled("node2"))]).locator(".timeline li").all_inner_texts()
    told = [re.sub(r"\s+", " ", line) for line in lines]
    assert told[:2] == ["expired 1 certificate node2 10-old", "Nov 2026 none"]
    assert told[-1] == "Sep 2027 1 certificate node2 20-node"
    assert len(told) == 12


def test_details_open_by_keyboard(show: Open) -> None:
    page = show([verified("node2", spoiled("node2"))])
    page.locator("tbody summary").focus()
    page.keyboard.press("Enter")
    expect(page.locator("tbody details p")).to_be_visible()
    text = page.locator("tbody details p").inner_text()
    assert "Host directory: /etc/docker/certs.d/registry.example:5000 (classic image store)" in text
    assert "then 20-node: 200 in 0.02 s" in text
    assert "Error: 10-old.cert: expired" in text


def test_the_search_takes_words_of_any_column(show: Open) -> None:
    page = show(small())
    page.get_by_label("Search").fill("NODE1 dockerd")
    expect(page.get_by_role("status")).to_have_text("1 of 10 rows")
    assert hosts(page) == ["node1"]
    page.get_by_label("Search").fill("no route")
    expect(page.get_by_role("status")).to_have_text("1 of 10 rows")
    page.get_by_role("button", name="Reset").click()
    expect(page.get_by_role("status")).to_have_text("10 of 10 rows")


def test_filters_go_together(show: Open) -> None:
    page = show(small())
    page.get_by_label("Result").select_option("failed")
    expect(page.get_by_role("status")).to_have_text("4 of 10 rows")
    page.get_by_label("Expires").select_option("within 30 days")
    assert hosts(page) == ["node3", "node10"]
    page.get_by_label("Engine").select_option("docker")
    assert hosts(page) == ["node10"]
    page.get_by_label("Result").select_option("all")
    page.get_by_label("Expires").select_option("expired")
    assert hosts(page) == ["node2"]


def test_a_column_sorts_both_ways_and_says_so(show: Open) -> None:
    page = show(small())
    head = page.get_by_role("columnheader", name="Host")
    assert page.locator("[aria-sort]").all_text_contents() == ["Result"]
    head.get_by_role("button").click()
    assert hosts(page)[:8] == ["ghost", "node1", "node1", "node2", "node3", "node4", "node5", "node6"]
    expect(head).to_have_attribute("aria-sort", "ascending")
    page.keyboard.press("Enter")
    expect(head).to_have_attribute("aria-sort", "descending")
    assert hosts(page)[1] == "node10"
    assert page.locator("[aria-sort]").count() == 1


def test_numbers_sort_as_numbers_and_what_is_unknown_comes_last(show: Open) -> None:
    page = show(small())
    button = page.get_by_role("columnheader", name="First to expire").get_by_role("button")
    button.click()
    assert hosts(page)[:3] == ["node2", "node10", "node3"]
    button.click()
    assert hosts(page)[:2] == ["node1", "node1"]
    assert hosts(page)[4] == "node2"


def test_sorting_keeps_the_filter(show: Open) -> None:
    page = show(small())
    page.get_by_label("Result").select_option("failed")
    page.get_by_role("columnheader", name="Host").get_by_role("button").click()
    assert hosts(page) == ["node2", "node3", "node4", "node10"]


def test_hostile_texts_are_texts(show: Open) -> None:
    page = show(small())
    assert page.locator("img").count() == 0
    assert page.locator("script").count() == 1
    assert f"zz{HOSTILE}" in hosts(page)
    assert (
        page.locator("tr[data-engine]").evaluate_all("rows => rows.map(row => row.dataset.engine)").count(HOSTILE) == 1
    )
    page.get_by_label("Engine").select_option(HOSTILE)
    assert hosts(page) == ["node3"]


def test_nothing_but_its_own_script_could_run(browser: Browser) -> None:
    text = render(build(small(), made=MADE))
    page = browser.new_page()
    page.set_content(text.replace("</main>", "<script>document.title = 'it ran'</script></main>"))
    assert page.title() == "certs.d of 9 hosts"
    page.close()


def test_without_scripts_the_table_is_whole(browser: Browser) -> None:
    page = browser.new_page(java_script_enabled=False)
    page.set_content(render(build(small(), made=MADE)))
    assert len(hosts(page)) == 10
    expect(page.locator("form")).to_be_hidden()
    page.close()


def test_names_and_roles_are_those_of_a_table(show: Open) -> None:
    page = show([verified("node1", good("node1"))])
    table = page.get_by_role("table", name="Hosts and registries")
    expect(table).to_match_aria_snapshot("""
    - table "Hosts and registries":
      - rowgroup:
        - row:
          - columnheader "Host"
          - columnheader "Registry"
      - rowgroup:
        - row:
          - rowheader "node1"
          - cell "registry.example:5000"
    """)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1360])
def test_every_text_has_the_contrast_that_readers_need(show: Open, scheme: str, width: int) -> None:
    page = show(small(), scheme=scheme, width=width)
    page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    found = page.evaluate(CONTRASTS)
    assert len(found) > 100
    assert [(text, round(ratio, 2)) for text, ratio in found if ratio < 4.5] == []


def test_light_and_dark_differ(show: Open) -> None:
    ground = "getComputedStyle(document.body).backgroundColor"
    assert show([], scheme="light").evaluate(ground) != show([], scheme="dark").evaluate(ground)


@pytest.mark.parametrize("width", [320, 390, 768, 1024])
def test_a_narrow_screen_needs_no_sideways_scrolling(show: Open, width: int) -> None:
    long = Record("a-host-" + "x" * 300, f"unreachable: {'y' * 500}", {})
    page = show([*small(), long], width=width, height=844)
    page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.evaluate("document.body.scrollWidth <= innerWidth")


def test_a_phone_shows_cards_and_sorts_them(show: Open) -> None:
    page = show(small(), width=390, height=844)
    expect(page.get_by_role("button", name="Host")).not_to_be_in_viewport()
    page.get_by_label("Sort by").select_option("Host, descending")
    assert hosts(page)[1] == "node10"
    label = page.locator("tbody tr").nth(1).locator("td").first
    assert label.evaluate("cell => getComputedStyle(cell, '::before').content") == '"Registry"'


def test_a_thousand_hosts_stay_usable(show: Open) -> None:
    page = show(large(1_000))
    status = page.get_by_role("status")
    assert page.locator("tbody tr").count() == ROWS
    page.get_by_role("button", name="Host").click()
    assert hosts(page)[0] == "node0001.fleet.example"
    page.get_by_role("button", name="Host").click()
    assert hosts(page)[0] == "node1000.fleet.example"
    page.get_by_label("Search").fill("node0500")
    expect(status).to_have_text(f"2 of {ROWS:,} rows")
    assert set(hosts(page)) == {"node0500.fleet.example"}
    page.get_by_role("button", name="Reset").click()
    expect(status).to_have_text(f"{ROWS:,} of {ROWS:,} rows")


def test_rows_out_of_sight_are_not_laid_out(show: Open) -> None:
    page = show(large(1_000))
    row = page.locator("tbody tr").last
    assert row.evaluate("each => getComputedStyle(each).contentVisibility") == "auto"


def test_an_empty_report_is_a_page(show: Open) -> None:
    page = show([])
    assert "No certificate was seen." in page.inner_text("main")
    expect(page.get_by_role("status")).to_have_text("0 of 0 rows")
