# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the registries of a node, asked side by side."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

from ansible_collections.fleet.certs_d.plugins.module_utils._engines import ENGINES
from ansible_collections.fleet.certs_d.plugins.module_utils._measurement import Question
from ansible_collections.fleet.certs_d.plugins.module_utils._node_registries import (
    found_registries,
    measure_side_by_side,
    registries_to_ask,
)
from ansible_collections.fleet.certs_d.tests.unit.material import NOW, Issued
from ansible_collections.fleet.certs_d.tests.unit.scripted_registry import Trouble, scripted_registry


def test_directories_that_no_image_name_can_name_are_passed_over(tmp_path: Path) -> None:
    for name in ("registry.lab:5000", "registry.lab:5000.bak", "localhost", "a_b"):
        (tmp_path / name).mkdir()
    readers, passed_over = found_registries([(ENGINES["docker"], str(tmp_path))])
    assert list(readers) == ["localhost", "registry.lab:5000"]
    assert [(root, finding.place) for root, finding in passed_over] == [
        (str(tmp_path), "a_b"),
        (str(tmp_path), "registry.lab:5000.bak"),
    ]


def test_the_other_spelling_is_the_same_registry_and_the_default_is_none(tmp_path: Path) -> None:
    for name in ("registry.lab_5000_", "registry.lab:5000", "other.lab_1_", "_default"):
        (tmp_path / name).mkdir()
    readers, passed_over = found_registries([(ENGINES["containerd"], str(tmp_path))])
    assert (list(readers), passed_over) == (["other.lab:1", "registry.lab:5000"], [])
    readers, passed_over = found_registries([(ENGINES["containers"], str(tmp_path))])
    assert list(readers) == ["registry.lab:5000"]
    assert len(passed_over) == 3


def test_each_registry_is_that_of_the_engines_that_have_it(tmp_path: Path) -> None:
    first, second = tmp_path / "1", tmp_path / "2"
    for place in (first / "a:1", second / "a:1", second / "b:1"):
        place.mkdir(parents=True)
    engines = [(ENGINES["docker"], str(first)), (ENGINES["containers"], str(second))]
    readers = registries_to_ask(None, engines).readers
    assert {name: [engine.name for engine, _root in each] for name, each in readers.items()} == {
        "a:1": ["docker", "containers"],
        "b:1": ["containers"],
    }
    assert registries_to_ask(["c:1", "c:1"], engines).readers == {"c:1": engines}


def test_a_registry_that_hangs_holds_up_no_other(tmp_path: Path, ca: Issued) -> None:
    with contextlib.ExitStack() as stack:
        answers: list[int | Trouble] = ["hang", "hang", "hang", 200]
        servers = [stack.enter_context(scripted_registry({None: each}, ca=ca)) for each in answers]
        for server in servers:
            home = tmp_path / server.name
            home.mkdir()
            (home / "ca.crt").write_text(ca.certificate)
        started = time.monotonic()
        question = Question("/v2/", 1.0, started + 60, NOW)
        engines = [(ENGINES["containers"], str(tmp_path))]
        found = measure_side_by_side(dict.fromkeys([server.name for server in servers], engines), question)
        assert time.monotonic() - started < 2.5
    assert [entry["name"] for entry in found] == [server.name for server in servers]
    assert [entry["requests"][0]["status"] for entry in found] == [None, None, None, 200]
    assert found[0]["requests"][0]["error"] == "no answer within 1 s"


def test_without_registries_nothing_is_measured() -> None:
    assert measure_side_by_side({}, Question("/v2/", 1.0, 0, NOW)) == []
