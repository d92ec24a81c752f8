# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fleet's name."""

from __future__ import annotations

from pathlib import Path

from lab.fleet import fleet_name


def test_two_checkouts_have_two_fleets() -> None:
    assert fleet_name(Path("/a/inventories/lab")) != fleet_name(Path("/b/inventories/lab"))


def test_a_checkout_finds_its_fleet_again() -> None:
    assert fleet_name(Path("/a/inventories/lab")) == fleet_name(Path("/a/inventories/lab"))
