# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How Sphinx makes a site of the documents, which tests/tools/docs_site.py lays out for it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml
from docutils import nodes
from sphinx.application import Sphinx

CHECKOUT = Path(__file__).resolve().parents[2]
GALAXY = yaml.safe_load((CHECKOUT / "galaxy.yml").read_text(encoding="utf-8"))
# Ansible's own pages, to which the plugins' pages refer; an inventory of them would have to be fetched.
ANSIBLE = "https://docs.ansible.com/projects/ansible/latest"
ANSIBLE_PAGES = {
    "action_plugins": f"{ANSIBLE}/plugins/action.html",
    "common_return_values": f"{ANSIBLE}/reference_appendices/common_return_values.html",
}

project = f"{GALAXY['namespace']}.{GALAXY['name']}"
project_copyright = f"2026, the {project} contributors; GPL-3.0-or-later"
release = GALAXY["version"]
extensions = ["myst_parser", "sphinx_antsibull_ext"]
# It would list the environment variables of plugins that have any.
exclude_patterns = ["plugins/environment_variables.rst"]
nitpicky = True
myst_heading_anchors = 4

html_theme = "furo"
html_title = f"{project} {release}"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False
html_use_index = False
pygments_style = "friendly"
pygments_dark_style = "github-dark"


def setup(app: Sphinx) -> None:
    """What Sphinx can't resolve comes to `in_ansible`, and is an error if nothing is found there."""
    app.connect("source-read", for_the_theme)
    app.connect("missing-reference", in_ansible)


def for_the_theme(app: Sphinx, page: str, source: list[str]) -> None:
    """The theme has each page's contents at its side, and no room for long titles beside the plugins' names."""
    if page.startswith("plugins/"):
        source[0] = source[0].replace(".. contents::\n   :local:\n   :depth: 1\n", "")
        source[0] = re.sub(r"^    (\w+)_(module|lookup|role)$", r"    \1 <\1_\2>", source[0], flags=re.MULTILINE)


def in_ansible(app: Sphinx, env: Any, node: Any, content: nodes.TextElement) -> nodes.reference | None:
    """A link to Ansible's documentation."""
    uri = ANSIBLE_PAGES.get(node["reftarget"])
    return nodes.reference("", "", content, internal=False, refuri=uri) if uri else None
