#!/usr/bin/python
# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Put an image into the static tree of a registry."""

from __future__ import annotations

DOCUMENTATION = r"""
module: image_tree
version_added: 0.1.0
short_description: Put an image into the static tree of a registry
author:
  - fleet.certs_d contributors (@fleet-certs-d)
description:
  - Makes an image of one static executable and writes it as the static files that docker before 1.6 pulls from,
    C(v1/_ping), C(v1/repositories/REPOSITORY/{images,tags}) and C(v1/images/ID/{json,ancestry,layer}).
  - The image holds the executable in C(/bin), with one link to it per line of C(EXECUTABLE --list), as busybox has it.
  - The same executable always gives the same image, on any host and at any time, so that the module is idempotent.
  - Each file is replaced in one step, and the tags last, so that a client that pulls meanwhile sees the old or the
    new image.
  - Other tags of the repository stay.
extends_documentation_fragment:
  - fleet.certs_d.attributes
attributes:
  check_mode:
    support: full
    details: If the executable does not exist yet, a change is predicted and RV(image) has no id.
  diff_mode:
    support: full
    details: Names and digests of files.
  platform:
    support: full
    platforms: posix
options:
  path:
    description: Root of the tree, below which C(v1) is made. It is made if it does not exist.
    type: path
    required: true
  repository:
    description:
      - Name of the repository, C(NAME) or C(NAMESPACE/NAME). A name of one part is served below C(library) too,
        because old clients ask for both.
    type: str
    required: true
  tag:
    description: Tag of the image.
    type: str
    default: latest
  executable:
    description: Path on the managed host of one static ELF executable that prints its applets when called with
      C(--list), such as C(/bin/busybox) of Debian's busybox-static.
    type: path
    required: true
notes:
  - The role C(fleet.certs_d.registry) serves such a tree.
"""

EXAMPLES = r"""
- name: Serve busybox
  fleet.certs_d.image_tree:
    path: /srv/certs-d-registry
    repository: busybox
    executable: /bin/busybox
  become: true
"""

RETURN = r"""
image:
  description: The image in the tree.
  returned: success
  type: dict
  contains:
    id:
      description: Id of the image; null in check mode if the executable does not exist yet.
      type: str
      sample: 9fb9f2f4ac0ec1fb5d6b2cf5c2b4a0e3f1e1aeb5a5e6d5c8c0a7a8c2b3b1d0aa
    repository:
      description: Name of the repository.
      type: str
      sample: busybox
    tag:
      description: Tag of the image.
      type: str
      sample: latest
    layer_digest:
      description: Digest of the layer's tar archive; null if the id is.
      type: str
      sample: sha256:3c7f0b8e2c8d9f1a6f6c9a53d7f5f2b0f7f3f1e0a1b2c3d4e5f60718293a4b5c
    layer_size:
      description: Size of the layer's tar archive in bytes; null if the id is.
      type: int
      sample: 2017280
"""

import os
from typing import Any, NoReturn

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.fleet.certs_d.plugins.module_utils._image_tree import (
    Image,
    InvalidImage,
    check_names,
    digests,
    image_of_executable,
    listing,
    read_digests,
    read_tags,
    wanted_files,
    write_files,
)


def image_of(module: AnsibleModule) -> Image:
    """The image that the options ask for."""
    executable = module.params["executable"]
    with open(executable, "rb") as stream:
        content = stream.read()
    _code, applets, _errors = module.run_command([executable, "--list"], check_rc=True)
    try:
        return image_of_executable(content, name=os.path.basename(executable), applets=applets.split())
    except InvalidImage as reason:
        raise InvalidImage(f"{executable}: {reason}") from None


def put(module: AnsibleModule, image: Image) -> dict[str, Any]:
    """Bring the image into the tree and say what changed."""
    root, repository, tag = (module.params[each] for each in ("path", "repository", "tag"))
    wanted = wanted_files(image, repository=repository, tag=tag, tags=read_tags(root, repository))
    found, desired = read_digests(root, list(wanted)), digests(wanted)
    changed = {name: content for name, content in wanted.items() if found.get(name) != desired[name]}
    if changed and not module.check_mode:
        write_files(root, changed)
    return {
        "changed": bool(changed),
        "diff": {"before": listing(found), "after": listing(desired), "before_header": root, "after_header": root},
        "image": {
            "id": image.id,
            "repository": repository,
            "tag": tag,
            "layer_digest": image.layer_digest,
            "layer_size": len(image.layer),
        },
    }


def unknown_image(module: AnsibleModule) -> dict[str, Any]:
    """What check mode can say before a package has brought the executable."""
    names = {each: module.params[each] for each in ("repository", "tag")}
    return {"changed": True, "image": {"id": None, "layer_digest": None, "layer_size": None, **names}}


def run(module: AnsibleModule) -> dict[str, Any]:
    """The result of the module."""
    check_names(repository=module.params["repository"], tag=module.params["tag"])
    if module.check_mode and not os.path.exists(module.params["executable"]):
        return unknown_image(module)
    return put(module, image_of(module))


def main() -> NoReturn:
    """Where domain errors become a failure of the task."""
    module = AnsibleModule(
        argument_spec={
            "path": {"type": "path", "required": True},
            "repository": {"type": "str", "required": True},
            "tag": {"type": "str", "default": "latest"},
            "executable": {"type": "path", "required": True},
        },
        supports_check_mode=True,
    )
    try:
        result = run(module)
    except (InvalidImage, OSError) as reason:
        module.fail_json(msg=str(reason))
    module.exit_json(**result)


if __name__ == "__main__":
    main()
