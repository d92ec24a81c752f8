#!/usr/bin/python
# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Put images into the static tree of a registry."""

from __future__ import annotations

DOCUMENTATION = r"""
module: image_tree
version_added: 0.1.0
short_description: Put images into the static tree of a registry
author:
  - fleet.certs_d contributors (@fleet-certs-d)
description:
  - Turns an OCI layout, an OCI archive or an archive of C(docker save) into the static files that container engines
    pull from, C(v2) for those of today and C(v1) for docker before 1.6. Several images and tags lie side by side.
  - Or makes an image of one static executable, which it holds in C(/bin), with one link to it per line of
    C(EXECUTABLE --list), as busybox has it. The same executable always gives the same image.
  - Manifests are kept byte by byte, and an index of several platforms is kept whole. An archive of C(docker save) of
    docker before 25 has no manifest, and gets one that follows from what it holds.
  - Every digest and size is checked before the tree is touched. A source that is damaged changes nothing, and one error
    lists everything that is wrong with it.
  - Each file is replaced in one step, and names only after all that they lead to, so that a client that pulls meanwhile
    sees the old or the new image. What no tag leads to any more stays for O(keep) seconds, so that a pull that has
    begun can end, and can be had by its digest until then.
  - The whole tree follows from its tags. Whatever a run that was killed has left half done, the next one completes.
extends_documentation_fragment:
  - fleet.certs_d.attributes
attributes:
  check_mode:
    support: full
    details: If O(executable) or O(source) does not exist yet, a change is predicted and RV(image) has no digest.
  diff_mode:
    support: full
    details: Paths with digests or targets, of what changes.
  platform:
    support: full
    platforms: posix
options:
  path:
    description: Root of the tree, below which C(store), C(v1) and C(v2) are made. It is made if it does not exist.
    type: path
    required: true
  repository:
    description:
      - Name of the repository, in one or several parts, as in C(busybox) or C(team/app/web). None of its parts may be
        C(blobs), C(manifests) or C(tags).
      - Old clients can name one part, or a namespace of 4 to 30 lower-case letters, digits and C(_) and a part. A name
        of one part is served below C(library) too, because they ask for both. For them C(library/NAME) is C(NAME),
        which is therefore where their images belong.
    type: str
    required: true
  tag:
    description: Tag of the image.
    type: str
    default: latest
  state:
    description:
      - V(present) has the tag name the image.
      - V(absent) removes the tag, and what no tag leads to any more once O(keep) seconds have passed.
    type: str
    choices: [present, absent]
    default: present
    version_added: 0.2.0
  executable:
    description:
      - Path on the managed host of one static ELF executable that prints its applets when called with C(--list), such
        as C(/bin/busybox) of Debian's busybox-static.
      - One of O(executable) and O(source) is required for O(state=present).
    type: path
  source:
    description:
      - Path on the managed host of an OCI layout (a directory), or of an OCI archive or an archive of C(docker save),
        each of which may be compressed with gzip. Which of them it is, is found out.
      - An archive is not unpacked. It is read twice if the tree lacks anything of it, else once.
    type: path
    version_added: 0.2.0
  reference:
    description:
      - Which image of O(source), where it holds several. It is the name that the source has for it, the annotation
        C(org.opencontainers.image.ref.name) or C(io.containerd.image.name) or one of C(RepoTags), or its digest.
      - C(docker.io/library/) may be left out.
    type: str
    version_added: 0.2.0
  v1_platform:
    description: Which image of a multi-platform one old clients get, who know of no platforms.
    type: str
    default: linux/amd64
    version_added: 0.2.0
  keep:
    description:
      - How many seconds that which no tag leads to any more stays in the tree, counted from the change that has removed
        or moved its last tag. The first run after that, for whatever tag and O(state), removes it.
      - It should be longer than any pull takes. With V(0) it is removed at once, and pulls of it break off.
    type: int
    default: 3600
    version_added: 0.2.0
notes:
  - The role C(fleet.certs_d.registry) serves such a tree.
  - An image for one platform can be had with C(skopeo copy docker://REGISTRY/NAME:TAG oci-archive:FILE), one for all
    platforms with C(skopeo copy --all).
"""

EXAMPLES = r"""
- name: Serve busybox
  fleet.certs_d.image_tree:
    path: /srv/certs-d-registry
    repository: busybox
    executable: /bin/busybox
  become: true

- name: Serve an image that was saved elsewhere
  fleet.certs_d.image_tree:
    path: /srv/certs-d-registry
    repository: team/app
    tag: "1.4"
    source: /var/tmp/images.tar.gz
    reference: app:1.4
  become: true

- name: Remove a tag, and at once all that only it has needed
  fleet.certs_d.image_tree:
    path: /srv/certs-d-registry
    repository: team/app
    tag: "1.3"
    state: absent
    keep: 0
  become: true
"""

RETURN = r"""
image:
  description: The image in the tree.
  returned: success
  type: dict
  contains:
    repository:
      description: Name of the repository.
      type: str
      sample: busybox
    tag:
      description: Tag of the image.
      type: str
      sample: latest
    digest:
      description:
        - Digest of the manifest or index that the tag names.
        - Null for O(state=absent), and in check mode if the image does not exist yet.
      type: str
      sample: sha256:9fb9f2f4ac0ec1fb5d6b2cf5c2b4a0e3f1e1aeb5a5e6d5c8c0a7a8c2b3b1d0aa
    media_type:
      description: Media type of that manifest or index; null if the digest is.
      type: str
      sample: application/vnd.oci.image.manifest.v1+json
    platforms:
      description: The platforms that the image is for, as far as it says so.
      type: list
      elements: str
      sample: [linux/amd64]
    size:
      description: Bytes of its manifests and blobs, each counted once; null if the digest is.
      type: int
      sample: 2018012
    v1:
      description: What docker before 1.6 gets.
      type: dict
      contains:
        id:
          description: Id of the v1 image that the tag names; null if there is none.
          type: str
          sample: 3c7f0b8e2c8d9f1a6f6c9a53d7f5f2b0f7f3f1e0a1b2c3d4e5f60718293a4b5c
        platform:
          description: The platform of that image, empty if there is none or it does not say so.
          type: str
          sample: linux/amd64
        reason:
          description: Why there is none; empty if there is one, or if it is not known yet.
          type: str
          sample: v1 has repositories of one part or two
"""

import contextlib
import os
from typing import Any, Collection, Iterable, Iterator, NoReturn

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.fleet.certs_d.plugins.module_utils._executable_image import (
    check_executable,
    image_of_executable,
)
from ansible_collections.fleet.certs_d.plugins.module_utils._image_source import image_at
from ansible_collections.fleet.certs_d.plugins.module_utils._image_tree import (
    Plan,
    plan_image,
    plan_removal,
    read_state,
)
from ansible_collections.fleet.certs_d.plugins.module_utils._image_tree_disk import (
    blobs_of_tree,
    carry_out,
    read_tree,
    remove_leftovers,
)
from ansible_collections.fleet.certs_d.plugins.module_utils._lock import root_alone
from ansible_collections.fleet.certs_d.plugins.module_utils._oci_image import Image, InvalidImage, platforms
from ansible_collections.fleet.certs_d.plugins.module_utils._v1_tree import Chain, chain_of, check_platform
from ansible_collections.fleet.certs_d.plugins.module_utils._v2_tree import check_names


def image_of(module: AnsibleModule) -> Image:
    """The image that the options ask for."""
    if module.params["source"] is not None:
        return image_at(module.params["source"], reference=module.params["reference"])
    executable = module.params["executable"]
    check_executable(executable)
    _code, applets, _errors = module.run_command([executable, "--list"], check_rc=True)
    return image_of_executable(executable, applets=applets.split())


def put(module: AnsibleModule) -> dict[str, Any]:
    """Have the tag name the image, and say what changed."""
    origin = module.params["source"] or module.params["executable"]
    if module.check_mode and not os.path.exists(origin):
        return {"changed": True, "image": described(module, None, Chain())}
    image = image_of(module)
    chain = chain_of(image, repository=module.params["repository"], platform=module.params["v1_platform"])
    return {**change(module, image, chain), "image": described(module, image, chain)}


def remove(module: AnsibleModule) -> dict[str, Any]:
    """Have no such tag, and say what changed."""
    gone = {"image": described(module, None, Chain())}
    return {**(change(module) if os.path.isdir(module.params["path"]) else {"changed": False}), **gone}


def change(module: AnsibleModule, image: Image | None = None, chain: Chain | None = None) -> dict[str, Any]:
    """Bring the tree to what it should be, or say what would be done."""
    root = module.params["path"]
    name = (module.params["repository"], module.params["tag"])
    keep = module.params["keep"]
    with alone(module):
        found = read_tree(root, verify=image.blobs if image else ())
        state = read_state(found)
        if image and chain:
            plan = plan_image(found, state, name, image, chain, keep=keep)
        else:
            plan = plan_removal(found, state, name, keep=keep)
        if plan.changed and not module.check_mode:
            carry_out(root, plan, blobs_of_tree(root, state, others=image.read if image else no_blobs))
    return {"changed": plan.changed, "diff": diff(root, plan)}


@contextlib.contextmanager
def alone(module: AnsibleModule) -> Iterator[None]:
    """No other run meanwhile; what a killed one left goes away. Check mode makes no root, and removes nothing."""
    root = module.params["path"]
    if module.check_mode and not os.path.isdir(root):
        yield
        return
    with root_alone(root):
        if not module.check_mode:
            remove_leftovers(root)
        yield


def no_blobs(_digests: Collection[str]) -> Iterator[tuple[str, Iterable[bytes]]]:
    """A removal brings nothing."""
    return iter(())


def diff(root: str, plan: Plan) -> dict[str, str]:
    """What changes in the tree."""
    return {"before": plan.before, "after": plan.after, "before_header": root, "after_header": root}


def described(module: AnsibleModule, image: Image | None, chain: Chain) -> dict[str, Any]:
    """The image as the result tells of it."""
    return {
        "repository": module.params["repository"],
        "tag": module.params["tag"],
        "digest": image.digest if image else None,
        "media_type": image.root.media_type if image else None,
        "platforms": platforms(image) if image else [],
        "size": image.size if image else None,
        "v1": {"id": chain.id, "platform": chain.platform, "reason": chain.reason},
    }


def run(module: AnsibleModule) -> dict[str, Any]:
    """The result of the module."""
    check_names(repository=module.params["repository"], tag=module.params["tag"])
    check_platform(module.params["v1_platform"])
    return put(module) if module.params["state"] == "present" else remove(module)


def main() -> NoReturn:
    """Where domain errors become a failure of the task."""
    module = AnsibleModule(
        argument_spec={
            "path": {"type": "path", "required": True},
            "repository": {"type": "str", "required": True},
            "tag": {"type": "str", "default": "latest"},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "executable": {"type": "path"},
            "source": {"type": "path"},
            "reference": {"type": "str"},
            "v1_platform": {"type": "str", "default": "linux/amd64"},
            "keep": {"type": "int", "default": 3600},
        },
        mutually_exclusive=[("executable", "source")],
        required_if=[("state", "present", ("executable", "source"), True)],
        supports_check_mode=True,
    )
    try:
        result = run(module)
    except (InvalidImage, OSError) as reason:
        module.fail_json(msg=str(reason))
    module.exit_json(**result)


if __name__ == "__main__":
    main()
