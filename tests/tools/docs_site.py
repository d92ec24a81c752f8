# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The documentation as a site: README, docs/ and the roles' pages, with the plugins' pages of antsibull-docs.

Usage: python tests/tools/docs_site.py SITE. Run it where Ansible finds the collection, as in the copy that
tests/gates.py makes. Whatever Sphinx warns of, such as a link that leads nowhere or a page without a place in
docs/docsite/contents.md, is an error.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from functools import cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml

CHECKOUT = Path(__file__).resolve().parents[2]
DOCSITE = CHECKOUT / "docs" / "docsite"
README, FRONT = "README.md", "index.md"
PAGES = [README, "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "docs/*.md", "docs/*.png", "roles/*/README.md"]
# [text](path#anchor), and no URL.
LINK = re.compile(r"\]\((?P<path>[^)#:\s]+)(?P<anchor>(?:#[^)\s]*)?)\)")
REPOSITORY = yaml.safe_load((CHECKOUT / "galaxy.yml").read_text(encoding="utf-8"))["repository"]


def main(site: Path) -> None:
    """Each page keeps its path, so that its links hold; only the README is the site's front page."""
    with TemporaryDirectory() as folder:
        source = Path(folder)
        for page in pages():
            lay(page, source)
        with (source / FRONT).open("a", encoding="utf-8") as front:
            front.write((DOCSITE / "contents.md").read_text(encoding="utf-8"))
        document_plugins(source / "plugins")
        shutil.rmtree(site, ignore_errors=True)
        sphinx = [sys.executable, "-m", "sphinx", "--fail-on-warning", "--keep-going", "--nitpicky", "--quiet"]
        doctrees = str(source / ".doctrees")
        subprocess.run([*sphinx, "-d", doctrees, "-c", str(DOCSITE), folder, str(site)], check=True)
    print(f"the documentation is a site: {site / 'index.html'}")


def lay(page: Path, source: Path) -> None:
    """Copy a page to its place in the site."""
    target = source / (FRONT if page == CHECKOUT / README else page.relative_to(CHECKOUT))
    target.parent.mkdir(parents=True, exist_ok=True)
    if page.suffix == ".md":
        target.write_text(LINK.sub(partial(moved, page), page.read_text(encoding="utf-8")), encoding="utf-8")
    else:
        shutil.copyfile(page, target)


def moved(page: Path, link: re.Match[str]) -> str:
    """A link of the page as the site wants it: what is no page of the site lies in the repository."""
    target = (page.parent / link["path"]).resolve()
    if target == CHECKOUT / README:
        return f"]({link['path'].removesuffix(README)}{FRONT}{link['anchor']})"
    if target in pages() or not target.exists():
        return link[0]
    return f"]({REPOSITORY}/blob/main/{target.relative_to(CHECKOUT)}{link['anchor']})"


@cache
def pages() -> list[Path]:
    """The files that make the site."""
    return [page for pattern in PAGES for page in CHECKOUT.glob(pattern)]


def document_plugins(folder: Path) -> None:
    """The pages of modules, lookups and roles, made of what ansible-doc reads."""
    folder.mkdir(mode=0o755)
    config = ["--config-file", str(DOCSITE / "antsibull-docs.cfg")]
    how = ["--fail-on-error", "--use-current", "--squash-hierarchy", "--dest-dir", str(folder)]
    subprocess.run(["antsibull-docs", *config, "collection", *how, "fleet.certs_d"], check=True)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]).resolve())
