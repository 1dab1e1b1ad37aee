"""Downloading weights: a file of a fixed revision, resumed where it broke off, kept only if its hash is right.

Nothing else in the package reaches for a network.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from cineloop import files
from cineloop._version import __version__
from cineloop.errors import WeightsError
from cineloop.progress import Progress, silent, stage

UNKNOWN = "unknown"
_CHUNK = 1 << 20
_ATTEMPTS = 4
_TIMEOUT = 60.0
_COMMIT = re.compile(r"[0-9a-f]{40}")
_HASH = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Fetched:
    """A file that was downloaded.

    Attributes:
        path: Where it is.
        url: Where it came from.
        sha256: Of its bytes.
        size: In bytes.
        resumed: Bytes that an earlier, interrupted download had left.
    """

    path: Path
    url: str
    sha256: str
    size: int
    resumed: int = 0


def address(source: str) -> str:
    """Return the address of a source: one itself, or ``hf:OWNER/NAME/FILE@COMMIT`` on the Hugging Face hub.

    Raises:
        WeightsError: It is neither, or names no fixed revision.
    """
    if source.startswith(("https://", "http://")):
        return source
    found = re.fullmatch(r"hf:([\w.-]+/[\w.-]+)/([^@]+)@(\w+)", source)
    if found is None:
        raise WeightsError(
            f"Not a source of weights: {source!r}",
            where="command line",
            mend="Write an https:// address, or hf:OWNER/NAME/FILE@COMMIT.",
        )
    repository, file, revision = found.groups()
    if not _COMMIT.fullmatch(revision):
        raise WeightsError(
            f"The revision {revision!r} may be another file tomorrow",
            where=source,
            mend="Give the commit, 40 hexadecimal digits, which the hub shows under History.",
        )
    return f"https://huggingface.co/{repository}/resolve/{revision}/{file}"


def fetch(source: str, out: Path, *, sha256: str, progress: Progress = silent) -> Fetched:
    """Download a file, or go on with a download that broke off.

    What has arrived lies beside ``out`` until it is complete and its hash is right.

    Args:
        source: See :func:`address`.
        out: The file to write. One of the right hash that is there already is left as it is.
        sha256: What the file must hash to; ``unknown`` takes what comes over https and tells its hash.
        progress: Told about megabytes.

    Raises:
        WeightsError: There is no such file, the network fails, the hash is another, or the machine is declared offline
            (``CINELOOP_OFFLINE=1``).
    """
    if os.environ.get("CINELOOP_OFFLINE") == "1":
        raise WeightsError(
            "This machine is declared offline", where="CINELOOP_OFFLINE", mend="Unset it, or carry the file over."
        )
    url = address(source)
    known = sha256.lower()
    if known != UNKNOWN and not _HASH.fullmatch(known):
        raise WeightsError(
            f"Not a SHA-256: {sha256!r}", where="--sha256", mend="Give 64 hexadecimal digits, or `unknown`."
        )
    if known == UNKNOWN and not url.startswith("https://"):
        raise WeightsError("Without a hash the connection must be safe", where=url, mend="Give --sha256.")
    if out.exists():
        return _standing(out, url, known)
    download = _Download(url, out)
    _complete(download, progress)
    actual = files.sha256_file(download.partial)
    if known not in (UNKNOWN, actual):
        download.forget()
        raise WeightsError(
            f"What arrived is another file: its SHA-256 is {actual}, not {known}; it was thrown away",
            where=url,
            mend="Check the address, the revision and the hash with who publishes the weights.",
        )
    size = download.partial.stat().st_size
    with download.partial.open("rb+") as stream:
        os.fsync(stream.fileno())
    download.partial.replace(out)
    files.fsync_folder(out.parent)
    download.forget()
    fetched = Fetched(out, url, actual, size, download.resumed)
    files.write_json(record_of(out), {"url": url, "source": source, "sha256": actual, "bytes": size})
    return fetched


def record_of(path: Path) -> Path:
    """Return the file beside downloaded weights that says where they came from."""
    return path.with_name(f"{path.name}.source.json")


def _standing(out: Path, url: str, known: str) -> Fetched:
    actual = files.sha256_file(out)
    if known == actual:
        return Fetched(out, url, actual, out.stat().st_size)
    raise WeightsError(
        f"Another file is there, of SHA-256 {actual}", where=out, mend="Choose another --out, or remove it."
    )


@dataclass
class _Validator:
    """What tells whether the server still has the file that a download began with."""

    url: str
    etag: str | None = None
    total: int | None = None


class _Download:
    """The bytes that have arrived, and what is known of the rest."""

    def __init__(self, url: str, out: Path) -> None:
        self.url = url
        self.partial = out.with_name(f".{out.name}.download")
        self._notes = out.with_name(f".{out.name}.download.json")
        out.parent.mkdir(parents=True, exist_ok=True)
        self.known = self._read()
        if self.known.etag is None:
            # Nothing would tell whether the rest belongs to it.
            self.partial.unlink(missing_ok=True)
        self.resumed = self.arrived

    def _read(self) -> _Validator:
        try:
            known = _Validator(**json.loads(self._notes.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            # No notes, or torn ones: the download begins anew.
            return _Validator(self.url)
        return known if known.url == self.url else _Validator(self.url)

    @property
    def arrived(self) -> int:
        """Bytes that are here."""
        return self.partial.stat().st_size if self.partial.exists() else 0

    def note(self, etag: str | None, total: int | None) -> None:
        """Remember which file this is; a weak tag does not tell its bytes."""
        strong = etag if etag and not etag.startswith("W/") else None
        self.known = _Validator(self.url, strong, total)
        files.write_json(self._notes, asdict(self.known))

    def forget(self) -> None:
        """Remove what is left of the download."""
        self.partial.unlink(missing_ok=True)
        self._notes.unlink(missing_ok=True)

    def pieces(self) -> Iterator[int]:
        """Append what the server gives, yielding the size of each piece."""
        begin = self.arrived
        headers = {"User-Agent": f"cineloop/{__version__}", "Accept-Encoding": "identity"}
        if begin and self.known.etag:
            headers |= {"Range": f"bytes={begin}-", "If-Range": self.known.etag}
        request = urllib.request.Request(self.url, headers=headers)  # noqa: S310 - address() lets http and https through
        with urllib.request.urlopen(request, timeout=_TIMEOUT) as answer:  # noqa: S310
            if self.url.startswith("https://") and not answer.url.startswith("https://"):
                raise WeightsError(
                    "The address leads on to one without encryption",
                    where=answer.url,
                    mend="Find an https address of the file.",
                )
            if answer.headers.get_content_type() == "text/html":
                raise WeightsError(
                    "The address gives a web page, not a file",
                    where=self.url,
                    mend="Open it in a browser, save the file, and name it in the recipe; or find its direct address.",
                )
            if answer.status != http.client.PARTIAL_CONTENT:
                begin = self.resumed = 0
                length = answer.headers.get("Content-Length")
                self.note(answer.headers.get("ETag"), int(length) if length else None)
            with self.partial.open("r+b" if begin else "wb") as stream:
                stream.seek(begin)
                stream.truncate()
                while piece := answer.read(_CHUNK):
                    stream.write(piece)
                    yield len(piece)
        total = self.known.total
        if total is not None and self.arrived < total:
            raise http.client.IncompleteRead(b"", total - self.arrived)


def _complete(download: _Download, progress: Progress) -> None:
    """Download what is missing, trying again where the connection breaks."""
    failure: Exception | None = None
    for _ in range(_ATTEMPTS):
        before = download.arrived
        if download.known.total is not None and before == download.known.total:
            return
        try:
            with stage(progress, None, f"fetching {download.url.rpartition('/')[2]}, MB") as told:
                pending = 0
                for size in download.pieces():
                    pending += size
                    told.advance(pending // 10**6)
                    pending %= 10**6
            return
        except urllib.error.HTTPError as error:
            if error.code == http.client.REQUESTED_RANGE_NOT_SATISFIABLE and before:
                # All of it had arrived, or the file is another now: the hash of a whole download tells.
                download.forget()
                download.resumed = 0
                continue
            if error.code < http.client.INTERNAL_SERVER_ERROR:
                raise _refused(error, download.url) from None
            failure = error
        except (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError) as error:
            failure = error
            if download.arrived == before:
                break
    raise WeightsError(
        f"The download broke off after {download.arrived / 1e6:.1f} MB: {_reason(failure)}",
        where=download.url,
        mend="Run the same command again; it goes on from there.",
    )


def _refused(error: urllib.error.HTTPError, url: str) -> WeightsError:
    login = error.code in (http.client.UNAUTHORIZED, http.client.FORBIDDEN)
    return WeightsError(
        f"The server refuses: {error.code} {error.reason}",
        where=url,
        mend="The file needs a login or a licence to be accepted: download it in a browser."
        if login
        else "Check the address and the revision.",
    )


def _reason(failure: Any) -> str:
    return str(getattr(failure, "reason", failure)) or type(failure).__name__
