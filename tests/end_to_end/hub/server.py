"""A stand-in for the Hugging Face hub on this computer: repositories, commits, large files, and downloads."""

import base64
import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TOKEN = "hf_" + "standinforthehub" * 2


@dataclass
class Repository:
    """A repository: its files, and the number of its commits."""

    private: bool = False
    files: dict[str, bytes] = field(default_factory=dict)
    num_commits: int = 0

    @property
    def commit(self) -> str:
        return hashlib.sha1(str(self.num_commits).encode()).hexdigest()


class Hub:
    """What the hub has, what was asked of it, and what it refuses."""

    def __init__(self) -> None:
        self.repositories: dict[str, Repository] = {}
        """`models/ann/x` or `datasets/ann/x` -> repository."""
        self.large: dict[str, bytes] = {}
        """SHA-256 -> content of an uploaded large file."""
        self.asked: list[str] = []
        """METHOD and path of each request."""
        self.tokens: set[str | None] = set()
        self.refuses: dict[str, int] = {}
        """The end of a path -> the status that it is answered with."""
        self.url = ""

    def answer(self, method: str, path: str, body: bytes, headers: Any) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body of an answer."""
        self.asked.append(f"{method} {path}")
        path, _, _ = path.partition("?")
        for end, status in self.refuses.items():
            if path.endswith(end):
                return status, {}, b'{"error": "refused"}'
        token = (headers.get("Authorization") or "").removeprefix("Bearer ") or None
        if path.startswith("/large/"):  # a signed address: no token is sent to it
            self.large[path.removeprefix("/large/")] = body
            return 200, {}, b""
        self.tokens.add(token)
        if method in ("POST", "PUT") and token != TOKEN and "paths-info" not in path:
            return 401, {}, b'{"error": "Invalid credentials"}'
        if path == "/api/repos/create":
            return self._create(json.loads(body))
        if path == "/api/validate-yaml":
            return _json({"errors": [], "warnings": []})
        if match := re.fullmatch(r"/(?:(datasets)/)?(\w[\w.-]*/[\w.-]+)\.git/info/lfs/objects/batch", path):
            return self._batch(json.loads(body))
        if match := re.fullmatch(r"/(?:(datasets)/)?(\w[\w.-]*/[\w.-]+)/resolve/(\w+)/(.+)", path):
            return self._resolve(f"{match[1] or 'models'}/{match[2]}", match[4], headers)
        if match := re.fullmatch(
            r"/api/((?:models|datasets)/\w[\w.-]*/[\w.-]+?)(?:/(preupload|commit|revision|tree|paths-info)/(\w+)(/.*)?)?",
            path,
        ):
            repository = self.repositories.get(match[1])
            if repository is None or (match[3] and match[3] not in ("main", repository.commit)):
                code = "RepoNotFound" if repository is None else "RevisionNotFound"
                return 404, {"X-Error-Code": code}, b'{"error": "not found"}'
            return self._about(match[1], repository, match[2] or "revision", body, match[4] or "")
        return 404, {}, b""

    def _create(self, asked: dict[str, Any]) -> tuple[int, dict[str, str], bytes]:
        kind = f"{asked.get('type') or 'model'}s"
        name = f"{asked['organization']}/{asked['name']}" if asked.get("organization") else f"ann/{asked['name']}"
        url = f"{self.url}/{'' if kind == 'models' else kind + '/'}{name}"
        if f"{kind}/{name}" in self.repositories:
            return 409, {}, json.dumps({"error": "You already created this repo", "url": url}).encode()
        private = bool(asked.get("private")) or asked.get("visibility") == "private"
        self.repositories[f"{kind}/{name}"] = Repository(private)
        return _json({"url": url, "name": name, "id": name})

    def _batch(self, asked: dict[str, Any]) -> tuple[int, dict[str, str], bytes]:
        objects = [
            {**entry, "actions": {"upload": {"href": f"{self.url}/large/{entry['oid']}", "header": {}}}}
            for entry in asked["objects"]
        ]
        return _json({"transfer": "basic", "objects": objects})

    def _about(
        self, key: str, repository: Repository, what: str, body: bytes, below: str
    ) -> tuple[int, dict[str, str], bytes]:
        if what == "preupload":
            large = (".safetensors", ".parquet", ".arrow")
            files = [
                {
                    "path": f["path"],
                    "uploadMode": "lfs" if f["path"].endswith(large) else "regular",
                    "shouldIgnore": False,
                }
                for f in json.loads(body)["files"]
            ]
            return _json({"files": files})
        if what == "commit":
            return self._commit(key, repository, body)
        entries = [
            {"type": "file", "path": path, "size": len(content), "oid": hashlib.sha1(content).hexdigest()}
            for path, content in repository.files.items()
            if f"/{path}".startswith(below.rstrip("/") + "/")
        ]
        if what == "tree":
            return _json([*entries, *_folders(entries, below)])
        if what == "paths-info":
            return _json([entry for entry in entries if entry["path"].encode() in body])
        return _json(
            {
                "id": key.partition("/")[2],
                "sha": repository.commit,
                "private": repository.private,
                "siblings": [{"rfilename": entry["path"], "size": entry["size"]} for entry in entries],
                "cardData": {"license": "cc-by-4.0"},
            }
        )

    def _commit(self, key: str, repository: Repository, body: bytes) -> tuple[int, dict[str, str], bytes]:
        lines = [json.loads(line) for line in body.decode().splitlines() if line]
        header = lines[0]["value"]
        if header.get("parentCommit") not in (None, repository.commit):
            return 412, {}, b'{"error": "A commit has happened since"}'
        for line in lines[1:]:
            value = line["value"]
            if line["key"] == "file":
                repository.files[value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "lfsFile":
                repository.files[value["path"]] = self.large[value["oid"]]
            elif line["key"] == "deletedFile":
                del repository.files[value["path"]]
        repository.num_commits += 1
        name = key.removeprefix("models/")
        return _json(
            {
                "success": True,
                "commitOid": repository.commit,
                "commitUrl": f"{self.url}/{name}/commit/{repository.commit}",
            }
        )

    def _resolve(self, key: str, path: str, headers: Any) -> tuple[int, dict[str, str], bytes]:
        repository = self.repositories.get(key)
        if repository is None or path not in repository.files:
            return 404, {"X-Error-Code": "RepoNotFound" if repository is None else "EntryNotFound"}, b""
        content = repository.files[path]
        about = {"ETag": f'"{hashlib.sha256(content).hexdigest()}"', "X-Repo-Commit": repository.commit}
        if span := re.fullmatch(r"bytes=(\d+)-(\d*)", headers.get("Range") or ""):
            first, last = int(span[1]), min(int(span[2] or len(content) - 1), len(content) - 1)
            about["Content-Range"] = f"bytes {first}-{last}/{len(content)}"
            return 206, about, content[first : last + 1]
        return 200, about, content


@contextmanager
def serving() -> Iterator[Hub]:
    """Answer requests until the block ends."""
    hub = Hub()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            length = self.headers.get("Content-Length")
            body = self.rfile.read(int(length)) if length else self._chunks()
            status, headers, content = hub.answer(self.command, self.path, body, self.headers)
            self.send_response(status)
            for name, value in {"Content-Type": "application/json", **headers, "Content-Length": len(content)}.items():
                self.send_header(name, str(value))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

        def _chunks(self) -> bytes:
            body = b""
            if self.headers.get("Transfer-Encoding") == "chunked":
                while size := int(self.rfile.readline(), 16):
                    body += self.rfile.read(size)
                    self.rfile.readline()
                self.rfile.readline()
            return body

        do_GET = do_POST = do_PUT = do_HEAD = _answer

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        hub.url = f"http://127.0.0.1:{http.server_port}"
        thread = threading.Thread(target=http.serve_forever, args=(0.01,))
        thread.start()
        yield hub
        http.shutdown()
        thread.join()


def _folders(entries: list[dict[str, Any]], below: str) -> list[dict[str, Any]]:
    """The folders directly below a folder."""
    depth = below.strip("/").count("/") + 1 if below.strip("/") else 0
    paths = {"/".join(entry["path"].split("/")[: depth + 1]) for entry in entries if entry["path"].count("/") > depth}
    return [{"type": "directory", "path": path, "size": 0, "oid": "0"} for path in sorted(paths)]


def _json(value: Any) -> tuple[int, dict[str, str], bytes]:
    return 200, {}, json.dumps(value).encode()
