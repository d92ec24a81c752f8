# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plays the lookup of this name: a secret is a JSON file in the folder store/ beside the playbook."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ansible.plugins.lookup import LookupBase


class LookupModule(LookupBase):
    """Of what the real one returns, the key that the documents use."""

    def run(self, terms: list[str], variables: dict[str, Any] | None = None, **options: Any) -> list[Any]:
        """One answer per path."""
        assert options["url"].startswith("https://")
        store = Path(self.get_basedir(variables or {})) / "store"
        return [{"secret": json.loads((store / f"{path}.json").read_text())} for path in terms]
