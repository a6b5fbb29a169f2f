"""A Hub for tests: a server in this process that speaks enough of the Hugging Face Hub on loopback.

`serving` starts it on a free port. Repositories, commits, tags and large files live in memory. It counts what is
uploaded, can fail some requests, and can call back at a request, so that a test kills its client at that moment.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from tests.loopback import listening

__all__ = ["Hub", "Repository", "serving"]

TOKEN = "hf_writer"
READER = "hf_reader"
API = re.compile(r"/api/datasets/(?P<repo>[^/]+/[^/]+)(?:/(?P<what>[a-z-]+)(?:/(?P<rest>.*))?)?")


@dataclass
class Commit:
    """A commit: its title and the whole tree, path to bytes."""

    id: str
    title: str
    tree: dict[str, bytes]


@dataclass
class Repository:
    """One dataset repository."""

    private: bool = False
    commits: list[Commit] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)

    def at(self, revision: str) -> Commit | None:
        """The commit of a branch, tag or id."""
        if revision == "main":
            return self.commits[-1]
        return next((one for one in self.commits if one.id == self.tags.get(revision, revision)), None)

    def add(self, title: str, tree: dict[str, bytes]) -> Commit:
        """One more commit on main."""
        told = hashlib.sha1(f"{len(self.commits)} {title} {sorted(tree)}".encode()).hexdigest()
        self.commits.append(Commit(told, title, tree))
        return self.commits[-1]


class Hub:
    """The server's state."""

    def __init__(self) -> None:
        self.address = ""
        self.repositories: dict[str, Repository] = {}
        self.large: dict[str, bytes] = {}
        self.uploaded = 0
        self.requests: list[str] = []
        self.fail: Callable[[int, str], bool] = lambda _number, _told: False
        self.at_request: Callable[[int, str], None] = lambda _number, _told: None
        self.lock = threading.Lock()

    def environment(self, home: Path, token: str | None = TOKEN) -> dict[str, str]:
        """What a program needs to find this Hub and nothing else: its variables, with caches of its own in `home`."""
        return {
            "HF_ENDPOINT": self.address,
            "HF_HOME": str(home / "hf"),
            "HOME": str(home),
            "HF_HUB_DISABLE_XET": "1",
            "HF_HUB_DISABLE_PROGRESS_BARS": "1",
            "HF_DATASETS_DISABLE_PROGRESS_BARS": "1",
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "NO_PROXY": "127.0.0.1",
            **({"HF_TOKEN": token} if token else {}),
        }


@contextmanager
def serving() -> Iterator[Hub]:
    """Run a Hub."""
    hub = Hub()
    with listening(_Handler, hub) as hub.address:
        yield hub


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    state: Hub

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        self._answer()

    do_HEAD = do_POST = do_PUT = do_DELETE = do_GET  # noqa: N815 -- the names of the base class

    def _answer(self) -> None:
        told = f"{self.command} {unquote(urlsplit(self.path).path)}"
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        with self.state.lock:
            self.state.requests.append(told)
            number = len(self.state.requests)
        self.state.at_request(number, told)
        if self.state.fail(number, told):
            self._send(503, {"error": "come back later"})
            return
        with self.state.lock:
            self._route(told.split(" ", 1)[1], body)

    def _send(self, status: int, value: Any, headers: dict[str, str] | None = None) -> None:
        data = value if isinstance(value, bytes) else json.dumps(value).encode()
        self.send_response(status)
        for name, text in {"Content-Length": str(len(data)), **(headers or {})}.items():
            self.send_header(name, text)
        if status >= 400 and not isinstance(value, bytes):
            self.send_header("X-Error-Message", str(value.get("error")))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def _missing(self, code: str) -> None:
        self._send(404, {"error": f"{code}"}, {"X-Error-Code": code})

    def _may_write(self) -> bool:
        token = (self.headers.get("Authorization") or "").removeprefix("Bearer ")
        if token != TOKEN:
            self._send(401 if not token else 403, {"error": "you need the right to write"})
        return token == TOKEN

    def _route(self, path: str, body: bytes) -> None:
        if path == "/api/validate-yaml":
            self._send(200, {"errors": [], "warnings": []})
        elif path == "/api/repos/create":
            self._create(json.loads(body))
        elif path.startswith("/large/"):
            self._large(path.removeprefix("/large/"), body)
        elif path.endswith(".git/info/lfs/objects/batch"):
            self._batch(json.loads(body))
        elif found := re.fullmatch(r"/datasets/([^/]+/[^/]+)/resolve/([^/]+)/(.*)", path):
            self._resolve(*found.groups())
        elif found := API.fullmatch(path):
            self._api(found["repo"], found["what"], found["rest"] or "", body)
        else:
            self._missing("NotFound")

    def _repository(self, name: str) -> Repository | None:
        found = self.state.repositories.get(name)
        token = (self.headers.get("Authorization") or "").removeprefix("Bearer ")
        if found is None or (found.private and token not in {TOKEN, READER}):
            if token:
                self._missing("RepoNotFound")
            else:
                self._send(401, {"error": "Invalid username or password."})
            return None
        return found

    def _create(self, asked: dict[str, Any]) -> None:
        if self._may_write():
            name = f"{asked.get('organization') or 'someone'}/{asked['name']}"
            made = Repository(private=bool(asked.get("private") or asked.get("visibility") == "private"))
            made.add("initial commit", {".gitattributes": b"*.parquet filter=lfs\n"})
            self.state.repositories[name] = made
            self._send(200, {"url": f"{self.state.address}/datasets/{name}", "name": name, "id": name})

    def _large(self, oid: str, body: bytes) -> None:
        if hashlib.sha256(body).hexdigest() != oid:
            self._send(400, {"error": "not what its hash says"})
            return
        self.state.large[oid] = body
        self.state.uploaded += len(body)
        self._send(200, {})

    def _batch(self, asked: dict[str, Any]) -> None:
        objects = []
        for one in asked["objects"]:
            action = {"actions": {"upload": {"href": f"{self.state.address}/large/{one['oid']}"}}}
            objects.append({**one, **({} if one["oid"] in self.state.large else action)})
        self._send(200, {"transfer": "basic", "objects": objects})

    def _resolve(self, name: str, revision: str, path: str) -> None:
        repository = self._repository(name)
        if repository is None:
            return
        commit = repository.at(revision)
        if commit is None or path not in commit.tree:
            self._missing("RevisionNotFound" if commit is None else "EntryNotFound")
            return
        data = commit.tree[path]
        told = {"ETag": f'"{hashlib.sha256(data).hexdigest()}"', "X-Repo-Commit": commit.id, "Accept-Ranges": "bytes"}
        if wanted := re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range") or ""):
            low, high = int(wanted[1]), int(wanted[2] or len(data) - 1)
            told["Content-Range"] = f"bytes {low}-{min(high, len(data) - 1)}/{len(data)}"
            self._send(206, data[low : high + 1], told)
        else:
            self._send(200, data, told)

    def _api(self, name: str, what: str | None, rest: str, body: bytes) -> None:  # noqa: C901 -- a table of routes
        repository = self._repository(name)
        if repository is None or (what in {"preupload", "commit", "tag", "lfs-files"} and not self._may_write()):
            return
        if what == "tag":
            self._tag(repository, rest, body)
            return
        if what == "lfs-files":
            self._lfs_files(repository, body)
            return
        revision, _, below = rest.partition("/")
        commit = repository.at(revision or "main")
        if commit is None:
            self._missing("RevisionNotFound")
            return
        entries = [_entry(path, data) for path, data in sorted(commit.tree.items()) if path.startswith(below)]
        match what:
            case None | "revision":
                siblings = [{"rfilename": one["path"]} for one in entries]
                facts = {"id": name, "sha": commit.id, "private": repository.private, "tags": [], "downloads": 0}
                self._send(200, {**facts, "siblings": siblings, "likes": 0, "gated": False, "disabled": False})
            case "tree":
                folders = sorted({str(folder) for one in entries for folder in Path(one["path"]).parents} - {"."})
                told = [{"type": "directory", "path": one, "oid": "0", "size": 0} for one in folders]
                self._send(200, told + entries)
            case "paths-info":
                wanted = json.loads(body)["paths"]
                self._send(200, [one for one in entries if one["path"] in wanted])
            case "refs":
                tags = [
                    {"name": tag, "ref": f"refs/tags/{tag}", "targetCommit": at} for tag, at in repository.tags.items()
                ]
                branch = {"name": "main", "ref": "refs/heads/main", "targetCommit": repository.commits[-1].id}
                self._send(200, {"branches": [branch], "converts": [], "tags": tags})
            case "commits":
                self._send(200, [_told(one) for one in reversed(repository.commits)])
            case "preupload":
                files = [
                    {
                        "path": one["path"],
                        "uploadMode": "lfs" if one["path"].endswith((".parquet", ".arrow")) else "regular",
                        "shouldIgnore": False,
                    }
                    for one in json.loads(body)["files"]
                ]
                self._send(200, {"files": files})
            case "commit":
                self._commit(name, repository, body)
            case _:
                self._missing("NotFound")

    def _commit(self, name: str, repository: Repository, body: bytes) -> None:
        lines = [json.loads(line) for line in body.splitlines()]
        header, tree = lines[0]["value"], dict(repository.commits[-1].tree)
        if header.get("parentCommit") not in {None, repository.commits[-1].id}:
            self._send(412, {"error": "A commit has happened since. Please refresh and try again."})
            return
        for line in lines[1:]:
            path = line["value"]["path"]
            if line["key"] == "file":
                tree[path] = base64.b64decode(line["value"]["content"])
                self.state.uploaded += len(tree[path])
            elif line["key"] == "lfsFile":
                tree[path] = self.state.large[line["value"]["oid"]]
            elif line["key"] == "deletedFile":
                del tree[path]
        made = repository.add(header["summary"], tree)
        self._send(200, {"commitUrl": f"{self.state.address}/datasets/{name}/commit/{made.id}", "commitOid": made.id})

    def _tag(self, repository: Repository, rest: str, body: bytes) -> None:
        if self.command == "DELETE":
            del repository.tags[rest]
            self._send(200, {})
            return
        name, commit = json.loads(body)["tag"], repository.at(rest)
        if name in repository.tags or commit is None:
            self._send(409, {"error": f"tag {name} exists"})
            return
        repository.tags[name] = commit.id
        self._send(200, {})

    def _lfs_files(self, repository: Repository, body: bytes) -> None:
        if self.command == "GET":
            found = {path: data for one in repository.commits for path, data in one.tree.items() if _is_large(path)}
            told = [
                {
                    "fileOid": hashlib.sha256(data).hexdigest(),
                    "filename": path,
                    "oid": hashlib.sha256(data).hexdigest(),
                    "pushedAt": "2026-01-01T00:00:00.000Z",
                    "size": len(data),
                }
                for path, data in found.items()
            ]
            self._send(200, told)
            return
        gone = set(json.loads(body)["deletions"]["sha"])
        for one in repository.commits:
            one.tree = {path: data for path, data in one.tree.items() if hashlib.sha256(data).hexdigest() not in gone}
        self._send(200, {})


def _is_large(path: str) -> bool:
    return path.endswith((".parquet", ".arrow"))


def _entry(path: str, data: bytes) -> dict[str, Any]:
    entry: dict[str, Any] = {"type": "file", "path": path, "size": len(data), "oid": hashlib.sha1(data).hexdigest()}
    if _is_large(path):
        entry["lfs"] = {"oid": hashlib.sha256(data).hexdigest(), "size": len(data), "pointerSize": 130}
    return entry


def _told(commit: Commit) -> dict[str, Any]:
    return {"id": commit.id, "title": commit.title, "message": "", "date": "2026-01-01T00:00:00.000Z", "authors": []}
