# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the tree that is found to the one that is wanted: what appears, what goes, and in which order.

The whole tree follows from its tags: what no tag leads to is garbage, and goes when it has been that for some time.
"""

from __future__ import annotations

from typing import Collection, Iterable, Mapping, NamedTuple, Tuple

from ansible_collections.fleet.certs_d.plugins.module_utils._oci_image import (
    INDEX_TYPES,
    MANIFEST_TYPES,
    Image,
    InvalidImage,
    Manifest,
    config_of,
    digest_of,
    manifest_of,
    read_manifest,
    read_object,
)
from ansible_collections.fleet.certs_d.plugins.module_utils._tree_entries import (
    BLOB,
    MANIFEST,
    V1_LAYER,
    V1_TAGS,
    V2_TAG,
    Blob,
    Entry,
    blob_path,
    destination,
    is_content,
    rank,
)
from ansible_collections.fleet.certs_d.plugins.module_utils._v1_tree import (
    Chain,
    V1Image,
    is_v1_repository,
    read_image,
    read_tags,
    v1_entries,
)
from ansible_collections.fleet.certs_d.plugins.module_utils._v2_tree import is_repository, v2_entries

Name = Tuple[str, str]


class Found(NamedTuple):
    """What lies in a tree: the fingerprint of each entry of ours, the bytes of small files, the sizes of large ones.

    Ages are the seconds since an entry was put, or since a change has released it.
    """

    fingerprints: Mapping[str, str] = {}
    texts: Mapping[str, bytes] = {}
    sizes: Mapping[str, int] = {}
    ages: Mapping[str, float] = {}


class State(NamedTuple):
    """What a tree means: digests and v1 ids by repository and tag, and what those lead to.

    `made` are blobs that are not in the store yet and can be made, `moved` those that lie elsewhere in the tree.
    """

    tags: Mapping[Name, str] = {}
    v1_tags: Mapping[Name, str] = {}
    manifests: Mapping[str, Manifest] = {}
    v1_images: Mapping[str, V1Image] = {}
    blobs: frozenset[str] = frozenset()
    made: Mapping[str, bytes] = {}
    moved: Mapping[str, str] = {}

    def with_image(self, name: Name, image: Image, chain: Chain) -> State:
        """The same with a tag that names this image."""
        without = self.without(name)
        return without._replace(
            tags={**without.tags, name: image.digest},
            v1_tags={**without.v1_tags, **({name: chain.id} if chain.id else {})},
            manifests={**self.manifests, **image.manifests},
            v1_images={**self.v1_images, **{each.id: each for each in chain.images}},
            blobs=self.blobs.union(image.blobs),
        )

    def without(self, name: Name) -> State:
        """The same without this tag."""
        return self._replace(
            tags={each: digest for each, digest in self.tags.items() if each != name},
            v1_tags={each: top for each, top in self.v1_tags.items() if each != name},
        )

    def entries(self) -> dict[str, Entry]:
        """The tree that has nothing but this."""
        v1_tags = {name: top for name, top in self.v1_tags.items() if is_v1_repository(name[0])}
        return {
            **v1_entries(v1_tags, images=self.v1_images),
            **v2_entries(self.tags, manifests=self.manifests, blobs=self.blobs),
        }


class Plan(NamedTuple):
    """The way to the wanted tree, in its order: content appears, names change, garbage goes.

    A name that goes away has no entry. What is released is garbage from now on, and its age begins anew.
    """

    content: Mapping[str, Entry] = {}
    released: tuple[str, ...] = ()
    names: Mapping[str, Entry | None] = {}
    garbage: tuple[str, ...] = ()
    before: str = ""
    after: str = ""

    @property
    def changed(self) -> bool:
        """Whether there is anything to do."""
        return bool(self.content or self.names or self.garbage)

    @property
    def blobs(self) -> list[str]:
        """The digests of the blobs that appear."""
        return [each.digest for each in self.content.values() if isinstance(each, Blob)]


def read_state(found: Found) -> State:
    """What the tree means, by its links and small files; what is damaged or leads nowhere means nothing."""
    manifests = dict(_read_manifests(found))
    links = {path: destination(path, print_[3:]) for path, print_ in found.fingerprints.items() if print_[:3] == "-> "}
    tags = {}
    for path, target in links.items():
        name, stored = V2_TAG.fullmatch(path), MANIFEST.fullmatch(target)
        if name and stored and stored["digest"] in manifests:
            tags[name["repository"], name["tag"]] = stored["digest"]
    blobs = frozenset(match["digest"] for match in map(BLOB.fullmatch, found.fingerprints) if match)
    moved = dict(_read_moved(found))
    v1_images = {each.id: each for each in _read_v1_images(found, links, blobs.union(moved))}
    v1_tags = {name: top for name, top in _read_v1_tags(found) if _is_whole(top, v1_images)}
    state = State(tags, v1_tags, manifests, v1_images, blobs.union(moved), {}, moved)
    return _with_manifests(state, found.sizes)


def _read_manifests(found: Found) -> Iterable[tuple[str, Manifest]]:
    for path, content in found.texts.items():
        match = MANIFEST.fullmatch(path)
        media_type = f"application/{match['type']}" if match else ""
        if match and media_type in (*INDEX_TYPES, *MANIFEST_TYPES) and digest_of(content) == match["digest"]:
            try:
                yield match["digest"], read_manifest(content, media_type)
            except InvalidImage:
                continue


def _read_moved(found: Found) -> Iterable[tuple[str, str]]:
    """The layers that version 0.1.0 has laid as files."""
    for path, fingerprint in found.fingerprints.items():
        if V1_LAYER.fullmatch(path) and not fingerprint.startswith("-> "):
            yield fingerprint, path


def _read_v1_images(found: Found, links: Mapping[str, str], blobs: frozenset[str]) -> Iterable[V1Image]:
    for path, fingerprint in found.fingerprints.items():
        match = V1_LAYER.fullmatch(path)
        if not match:
            continue
        stored = BLOB.fullmatch(links.get(path, ""))
        layer = stored["digest"] if stored else fingerprint
        description, ancestry = (
            found.texts.get(f"v1/images/{match['id']}/{each}", b"") for each in ("json", "ancestry")
        )
        image = read_image(match["id"], description=description, ancestry=ancestry, layer=layer)
        if image and layer in blobs:
            yield image


def _read_v1_tags(found: Found) -> Iterable[tuple[Name, str]]:
    files = {match["repository"]: path for path in found.texts for match in [V1_TAGS.fullmatch(path)] if match}
    read = {name: read_tags(found.texts[path]) for name, path in files.items()}
    damaged = [files[name] for name, tags in read.items() if tags is None]
    if damaged:
        raise InvalidImage(f"no JSON object of image ids by tag: {', '.join(damaged)}; remove it, put its images anew")
    for repository, tags in read.items():
        # The second spelling of a one-part name.
        if not (repository.startswith("library/") and repository[len("library/") :] in files):
            for tag, top in (tags or {}).items():
                yield (repository, tag), top


def _is_whole(top: str, images: Mapping[str, V1Image]) -> bool:
    return top in images and all(each in images for each in images[top].ancestry)


def _with_manifests(state: State, sizes: Mapping[str, int]) -> State:
    """The same with manifests for those images of version 0.1.0 that clients of today could not pull."""
    for name, top in state.v1_tags.items():
        image = state.v1_images[top]
        if name not in state.tags and is_repository(name[0]) and _is_of_first_version(image):
            config = _config_of(image)
            place = state.moved.get(image.layer, blob_path(image.layer))
            manifest = manifest_of(config, [(image.layer, sizes[place])])
            state = state._replace(
                tags={**state.tags, name: manifest.digest},
                manifests={**state.manifests, manifest.digest: manifest},
                made={**state.made, digest_of(config): config},
                blobs=state.blobs.union([digest_of(config)]),
            )
    return state


def _is_of_first_version(image: V1Image) -> bool:
    """Whether version 0.1.0 has made it. That its layer lies in the store says nothing: a run may have been killed."""
    return "docker_version" in read_object(image.description) and image.ancestry == (image.id,)


def _config_of(image: V1Image) -> bytes:
    """The config that says what the description of an image of version 0.1.0 says."""
    description = read_object(image.description)
    architecture, system = (str(description.get(each, "")) for each in ("architecture", "os"))
    settings = description.get("config")
    return config_of(architecture=architecture, system=system, settings=settings, layers=[image.layer])


def plan_image(found: Found, state: State, name: Name, image: Image, chain: Chain, *, keep: int) -> Plan:
    """The way to the tree in which a tag names this image, and without what has been garbage for `keep` seconds."""
    return _plan(found, state, state.with_image(name, image, chain), keep)


def plan_removal(found: Found, state: State, name: Name, *, keep: int) -> Plan:
    """The way to the tree without this tag, and without what has been garbage for `keep` seconds.

    v1 forgets the tag first, and its second spelling before all: if the run is killed, what v1 alone has would be taken
    for version 0.1.0's, and what the second spelling alone has for a repository of its own.
    """
    if not found.fingerprints:
        return Plan()
    plan = _plan(found, state, state.without(name), keep)
    beginnings = ("v1/repositories/library/", "v1/")
    order = sorted(plan.names, key=lambda path: ([not path.startswith(each) for each in beginnings], _order(path)))
    return plan._replace(names={path: plan.names[path] for path in order})


def _plan(found: Found, before: State, after: State, keep: int) -> Plan:
    prints, wanted = found.fingerprints, after.entries()
    new = {path: entry for path, entry in wanted.items() if prints.get(path) != entry.fingerprint}
    gone = [path for path in prints if path not in wanted]
    names = {path: wanted.get(path) for path in [*new, *gone] if not is_content(path)}
    unused = [path for path in gone if is_content(path)]
    released = before.entries().keys() & unused
    # What version 0.1.0 has laid is not kept in its old form.
    garbage = _garbage(found, unused, released, 0 if before.moved else keep)
    content = {path: entry for path, entry in new.items() if is_content(path)}
    touched = sorted({*content, *names, *garbage})
    return Plan(
        {path: content[path] for path in sorted(content, key=_order)},
        tuple(sorted(released.difference(garbage))),
        {path: names[path] for path in sorted(names, key=_order)},
        garbage,
        listing({path: prints[path] for path in touched if path in prints}),
        listing({path: new[path].fingerprint for path in touched if path in new}),
    )


def _garbage(found: Found, unused: Collection[str], released: Collection[str], keep: int) -> tuple[str, ...]:
    """What has been unused for long enough, in the order in which it goes; nothing to which a link that stays leads."""
    aged = {path for path in unused if (0 if path in released else found.ages.get(path, 0)) >= keep}
    links = {path: found.fingerprints[path] for path in unused if path not in aged}
    needed = {destination(path, print_[3:]) for path, print_ in links.items() if print_[:3] == "-> "}
    return tuple(sorted(aged - needed, key=_order, reverse=True))


def _order(path: str) -> tuple[int, str]:
    return rank(path) or 0, path


def listing(fingerprints: Mapping[str, str]) -> str:
    """Names with digests or targets as lines, for a diff."""
    return "".join(f"{path} {print_}\n" for path, print_ in sorted(fingerprints.items()))
