# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The security tables of the documentation are what the registries have answered."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable

from ansible_collections.fleet.certs_d.tests.fleet.registries import Answer, PolicyAnswers, RequestAnswers
from ansible_collections.fleet.certs_d.tests.fleet.running import INVENTORY, PROJECT
from ansible_collections.fleet.certs_d.tests.fleet.test_registry_fuzz import COUNT

MAKER = PROJECT / "tests/tools/registry_page.py"
ROWS = INVENTORY / ".lab/registry_rows.json"


def test_the_page_is_made_of_what_was_answered(policy_answers: PolicyAnswers, request_answers: RequestAnswers) -> None:
    rows = {
        "policies": {
            policy: {certificate: outcome_of(answers) for certificate, answers in by_certificate.items()}
            for policy, by_certificate in policy_answers.items()
        },
        "requests": {label: [outcome_of([answer]) for answer in answers] for label, answers in request_answers.items()},
        "fuzzed": f"{COUNT:,}",
    }
    ROWS.write_text(json.dumps(rows))
    made = subprocess.run([sys.executable, MAKER, ROWS], capture_output=True, text=True, check=True).stdout
    assert (PROJECT / "docs/registry.md").read_text() == made, "python tests/tools/registry_page.py --write"


def outcome_of(answers: Iterable[Answer]) -> str:
    """What all of them were; several outcomes stand beside each other."""
    return ", ".join(sorted({answer.outcome for answer in answers}))
