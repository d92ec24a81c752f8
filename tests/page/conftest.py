# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One browser for all tests, and pages that may not complain."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Dialog, Page, Request

from ansible_collections.fleet.certs_d.plugins.plugin_utils._fleet_report import build
from ansible_collections.fleet.certs_d.plugins.plugin_utils._fleet_table import Record
from ansible_collections.fleet.certs_d.plugins.plugin_utils._report_page import render
from ansible_collections.fleet.certs_d.tests.page.browser import chromium
from ansible_collections.fleet.certs_d.tests.unit.fleet_sample import MADE

Open = Callable[..., Page]
Scheme = Literal["light", "dark"]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The one browser."""
    with chromium() as started:
        yield started


@pytest.fixture
def show(browser: Browser, tmp_path: Path) -> Iterator[Open]:
    """Opens the page of a fleet from a file; whatever it says to the console or asks of the network fails the test."""
    complaints: list[str] = []

    def request(asked: Request) -> None:
        if not asked.url.startswith("file:"):
            complaints.append(f"request: {asked.url}")

    def dialog(shown: Dialog) -> None:
        complaints.append(f"dialog: {shown.message}")
        shown.dismiss()

    def opened(records: list[Record], *, width: int = 1360, height: int = 900, scheme: Scheme = "light") -> Page:
        path = tmp_path / "report.html"
        path.write_text(render(build(records, made=MADE)), encoding="utf-8")
        page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
        page.on("console", lambda message: complaints.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: complaints.append(f"error: {error}"))
        page.on("dialog", dialog)
        page.on("request", request)
        page.goto(path.as_uri())
        return page

    yield opened
    for context in browser.contexts:
        context.close()
    assert complaints == []
