# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plays the lookup of this name: base64 stands for the encryption."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

from ansible.plugins.lookup import LookupBase


class LookupModule(LookupBase):
    """The texts of files."""

    def run(self, terms: list[str], variables: dict[str, Any] | None = None, **options: Any) -> list[str]:
        """One text per file, without its last newline as the real one gives it."""
        paths = (self.find_file_in_search_path(variables or {}, "files", name) for name in terms)
        return [base64.b64decode(Path(path).read_text()).decode().rstrip() for path in paths]
