# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The picture docs/report.png: the report of a made-up fleet, as Chromium shows it.

Usage: python -m tests.tools.report_picture, in a checkout that lies at …/ansible_collections/fleet/certs_d, such as the
copy that tests/gates.py makes. Writes docs/report.png below the working directory, or the FILE that is named.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from ansible.plugins.loader import init_plugin_loader

# Ansible finds plugins only through its own import hook, which must come before the first import of a collection.
init_plugin_loader([path for path in sys.path if Path(path, "ansible_collections/fleet/certs_d").is_dir()])

from ansible_collections.fleet.certs_d.plugins.plugin_utils._fleet_report import build  # noqa: E402
from ansible_collections.fleet.certs_d.plugins.plugin_utils._report_page import render  # noqa: E402
from ansible_collections.fleet.certs_d.tests.page.browser import chromium  # noqa: E402
from ansible_collections.fleet.certs_d.tests.unit.fleet_sample import MADE, plausible  # noqa: E402


def main(target: Path) -> None:
    """Write the picture."""
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        path = Path(folder) / "report.html"
        path.write_text(render(build(plausible(), made=MADE)), encoding="utf-8")
        page = browser.new_page(viewport={"width": 1360, "height": 1560}, color_scheme="light")
        page.goto(path.as_uri())
        page.screenshot(path=target)


if __name__ == "__main__":
    main(Path(sys.argv[1] if sys.argv[1:] else "docs/report.png"))
