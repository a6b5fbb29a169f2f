"""Publishing: the releases of a dataset to a repository on the Hub, each a commit with its version as a tag.

    publish     bring a repository up to date; a run that broke off is completed by the next
    publish_as  the same, from plain JSON types
    Publishing  what was done, or would be

Files are named by their content, so those that are there are not sent again. The commit that replaces README.md makes a
release; shards may come in commits of their own before it. A release that is published stays as it is, however later
ones are published. Only after a withdrawal the releases from the first that held the document on are made anew and
their tags moved.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from copydesk.errors import ReleaseError, UsageError
from copydesk.locations import place
from copydesk.release.beside import beside
from copydesk.release.card import render_card
from copydesk.release.changes import render_changelog
from copydesk.release.folder import CARD, CHANGELOG
from copydesk.release.head import LOADABLE
from copydesk.release.hub import Hub, There, missing
from copydesk.release.manifest import Manifest, Reference, choose, parse_card, parse_manifest, read_card, read_manifest
from copydesk.release.plots import PLOTS
from copydesk.release.publication import Published, derive
from copydesk.release.remote.through import all_files, reading
from copydesk.release.variants import Recipe, recipe_of

__all__ = ["Publishing", "publish", "publish_as"]

GROUP_FILES: Final = 50
GROUP_BYTES: Final = 1 << 30
"""At most so much goes into one commit: the Hub asks for small ones, and what is committed survives a broken line."""

Say = Callable[[str], None]


@dataclass
class Publishing:
    """What a run did: versions committed, files and bytes sent, files deleted; `operations` in words, in order."""

    repository: str
    recipe: Recipe
    dry_run: bool
    versions: list[str] = field(default_factory=list)
    files: int = 0
    bytes: int = 0
    operations: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        if not self.operations:
            return f"{self.repository}: every release is there; nothing to do"
        what = f"{', '.join(self.versions) or 'tags'} ({self.recipe}), {self.files:,} files, {self.bytes:,} bytes"
        if self.dry_run:
            return f"{self.repository}: a dry run, nothing was sent: {what}"
        return f"{self.repository}: published {what}"

    def report(self) -> str:
        """The run report as Markdown."""
        return f"# {self}\n\n" + "\n".join(f"- {one}" for one in self.operations) + "\n"


def publish(  # noqa: PLR0913 -- what a person may ask of a publication
    dataset: Path,
    repository: str,
    recipe: Recipe,
    *,
    create: Literal["private", "public"] | None = None,
    dry_run: bool = False,
    purge: bool = False,
    say: Say = lambda _: None,
) -> Publishing:
    """Publish every release of a dataset that `repository` has not.

    Raises UsageError where the repository's name is none, ReleaseError where there is no release, the repository is
    missing, holds other releases, or may not be written, RemoteError where the Hub cannot be reached.
    """
    newest = choose(dataset, None)
    if "publication" in read_manifest(dataset, newest).body:
        raise UsageError(f"{dataset}: is itself a publication; publish from the folder that it was made of")
    hub = Hub(repository)
    found = hub.look()
    done = Publishing(repository, recipe, dry_run)
    if found is None and create is None:
        raise ReleaseError(missing(repository))
    with tempfile.TemporaryDirectory(prefix="copydesk-publish-") as work:
        run = _Run(dataset, hub, done, Path(work), say)
        there = found or run.create(private=create == "private")
        run.releases(there)
        if purge:
            run.purge()
    return done


def publish_as(  # noqa: PLR0913 -- the parameters of the flow, in plain JSON types
    dataset: str,
    repository: str,
    *,
    ledger: bool = False,
    text: bool = True,
    masks: Sequence[str] = (),
    create: Literal["private", "public"] | None = None,
    purge: bool = False,
    dry_run: bool = False,
    say: Say = lambda _: None,
) -> Publishing:
    """As `publish`, from what a person or a flow gives."""
    recipe = Recipe(ledger=ledger, text=text, masks=tuple(sorted(masks)))
    with reading(place(dataset), all_files) as folder:
        return publish(folder, repository, recipe, create=create, dry_run=dry_run, purge=purge, say=say)


class _Run:
    """One run of publishing."""

    def __init__(self, dataset: Path, hub: Hub, done: Publishing, work: Path, say: Say) -> None:
        self.dataset, self.hub, self.done, self.work, self.say = dataset, hub, done, work, say
        self.known: list[Manifest] = []
        """The releases of the repository as far as they are settled, oldest first."""

    def _do(self, told: str) -> bool:
        """Note an operation; whether it is to be carried out."""
        self.done.operations.append(told)
        self.say(told)
        return not self.done.dry_run

    def create(self, *, private: bool) -> There:
        """A new repository."""
        if self._do(f"create the {'private' if private else 'public'} dataset repository {self.hub.name}"):
            return self.hub.create(private=private)
        return There("", {}, {}, {})

    def releases(self, there: There) -> None:
        """Every release, in order: left as it is, tagged, or made."""
        old = _published(self.hub, there)
        locals_ = [read_manifest(self.dataset, one) for one in read_card(self.dataset)]
        _check(self.dataset, self.hub.name, old, locals_)
        fresh = True
        head, files = there.head, dict(there.files)
        for number, manifest in enumerate(locals_):
            fresh = fresh and number < len(old) and _same(old[number], manifest)
            if fresh:
                self.known.append(old[number])
                self._tag(there, manifest.version, there.commits.get(manifest.version, head))
                continue
            recipe = self._recipe(there, manifest)
            made = derive(self.dataset, manifest, recipe, self.hub.name, self.work)
            before, self.known = [*self.known, *old[number:]], [*self.known, made.manifest]
            head = self._release(made, head, files, _names(before) - _names([*self.known, *old[number + 1 :]]))
            self._tag(there, manifest.version, head)

    def _recipe(self, there: There, manifest: Manifest) -> Recipe:
        """How a release is published: as before, if it was there, even where a withdrawal half carried out hides it."""
        if manifest.file not in there.files:
            return self.done.recipe
        return recipe_of(json.loads(self.hub.read(manifest.file, there.head)))

    def _release(self, made: Published, head: str, files: dict[str, int], gone: set[str]) -> str:
        """One release: missing shards in groups, then what makes it a release."""
        version = made.manifest.version
        missing_files = {name: path for name, path in made.files.items() if files.get(name) != _size(path)}
        *groups, last = _groups(missing_files)
        for number, group in enumerate(groups, 1):
            if self._do(f"commit {_told(group)} of {version}, part {number} of {len(groups) + 1}"):
                head = self.hub.commit(f"Files of {version}, part {number}", group, [], head)
        texts = self._texts(made.manifest)
        stale = {name for name in files if name.startswith(f"{PLOTS}/") and name not in texts}
        delete = sorted(gone & files.keys() | stale)
        also = f", delete {len(delete)} files" if delete else ""
        if self._do(f"commit release {version}: {_told(last)}, manifest, changelog and card{also}"):
            head = self.hub.release(version, {**last, **texts}, delete, head)
        self.done.versions.append(version)
        self.done.files += len(missing_files) + len(texts)
        self.done.bytes += sum(map(_size, missing_files.values()))
        self.done.bytes += sum(len(data) for data in texts.values())
        for name in delete:
            del files[name]
        files.update({name: _size(path) for name, path in missing_files.items()})
        files.update({name: len(data) for name, data in texts.items()})
        return head

    def _texts(self, manifest: Manifest) -> dict[str, bytes]:
        """The manifest and what is a function of manifests."""
        references = [one.reference for one in self.known]
        return {
            manifest.file: manifest.data,
            CHANGELOG: render_changelog(self.known).encode(),
            **beside(manifest),
            CARD: render_card(self.known[-LOADABLE:], references).encode(),
        }

    def _tag(self, there: There, version: str, commit: str) -> None:
        if there.tags.get(version) == commit and not (self.done.dry_run and version in self.done.versions):
            return
        moved = version in there.tags
        if self._do(f"{'move' if moved else 'set'} the tag {version}"):
            self.hub.tag(version, commit, move=moved)

    def purge(self) -> None:
        """Delete what no release names out of the repository's history."""
        if self._do("delete for good the data files that no release names, out of every commit"):
            for name in self.hub.purge(_names(self.known)):
                self.say(f"deleted for good: {name}")


def _published(hub: Hub, there: There) -> list[Manifest]:
    """The manifests of the releases that a repository has, oldest first."""
    if CARD not in there.files:
        return []
    references = parse_card(hub.read(CARD, there.head), Path(hub.name) / CARD)
    return [_manifest(hub, there, one) for one in references]


def _manifest(hub: Hub, there: There, reference: Reference) -> Manifest:
    return parse_manifest(hub.read(reference.file, there.head), reference, Path(hub.name) / reference.file)


def _check(dataset: Path, name: str, old: Sequence[Manifest], new: Sequence[Manifest]) -> None:
    """Raise ReleaseError where the repository holds releases that are not the dataset's own earlier ones."""
    versions = [one.version for one in new]
    for number, one in enumerate(old):
        if one.version not in versions[number : number + 1]:
            raise ReleaseError(
                f"{name}: has a release {one.version} where {dataset} has none; it was published from another folder: "
                "publish from that one, or choose another repository"
            )
        if not _same(one, new[number]) and one.body["withdrawn"] == new[number].body["withdrawn"]:
            raise ReleaseError(
                f"{name}: its release {one.version} is not the one in {dataset}, and a published release never "
                "changes: choose another repository"
            )


def _same(published: Manifest, local: Manifest) -> bool:
    """Whether a release was published from this one. A masked one holds no hash of it: then by what both count."""
    told: Mapping[str, Any] = published.body.get("publication", {})
    if told.get("of"):
        return bool(told["of"] == local.reference.sha256)
    facts = ("version", "base", "date", "documents", "counts", "ledger", "withdrawn", "made_with", "digests")
    return bool(told) and all(published.body[name] == local.body[name] for name in facts)


def _names(manifests: Sequence[Manifest]) -> set[str]:
    """The shards, knowledge and quarantine that manifests name."""
    return {name for one in manifests for name in one.files}


def _groups(files: Mapping[str, Path]) -> list[dict[str, Path]]:
    """The files in groups that fit a commit; at least one group, which may be empty."""
    groups: list[dict[str, Path]] = [{}]
    size = 0
    for name, path in files.items():
        size += _size(path)
        if len(groups[-1]) == GROUP_FILES or (groups[-1] and size > GROUP_BYTES):
            groups.append({})
            size = _size(path)
        groups[-1][name] = path
    return groups


def _told(files: Mapping[str, Path]) -> str:
    return f"{len(files)} files of {sum(map(_size, files.values())):,} bytes"


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError as error:
        raise ReleaseError(f"{path}: cannot be read ({error.strerror}); run copydesk verify") from error
