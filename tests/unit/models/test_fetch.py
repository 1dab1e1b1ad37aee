"""Downloads against a server on this machine that breaks off, changes its file, and refuses."""

from __future__ import annotations

import hashlib
import http.server
import json
import re
import threading

import pytest

from cineloop.errors import WeightsError
from cineloop.models.fetch import address, fetch, record_of
from program import call

CONTENT = bytes(range(256)) * 12_000
SHA = hashlib.sha256(CONTENT).hexdigest()
COMMIT = "0123456789abcdef0123456789abcdef01234567"


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_GET(self):
        server = self.server
        server.ranges.append(self.headers.get("Range"))
        content = server.content
        if self.path == "/page":
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(b"<html>log in</html>")
            return
        if self.path != "/weights.pth":
            self.send_error(403 if self.path == "/private" else 404)
            return
        begin = 0
        match = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        if match and self.headers.get("If-Range") == server.etag:
            begin = int(match[1])
        if begin >= len(content):
            self.send_error(416)
            return
        self.send_response(206 if begin else 200)
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("Content-Length", str(len(content) - begin))
        if server.etag:
            self.send_header("ETag", server.etag)
        if begin:
            self.send_header("Content-Range", f"bytes {begin}-{len(content) - 1}/{len(content)}")
        self.end_headers()
        rest = content[begin:]
        breaks = server.breaks.pop(0) if server.breaks else len(rest)
        self.wfile.write(rest[:breaks])


@pytest.fixture
def server():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.content, server.etag, server.breaks, server.ranges = CONTENT, '"one"', [], []
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    server.url = f"http://127.0.0.1:{server.server_port}/weights.pth"
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_file_arrives_whole_with_a_record_of_where_it_is_from(server, tmp_path):
    out = tmp_path / "new" / "weights.pth"
    found = fetch(server.url, out, sha256=SHA.upper())
    assert out.read_bytes() == CONTENT
    assert (found.sha256, found.size, found.resumed) == (SHA, len(CONTENT), 0)
    assert json.loads(record_of(out).read_text())["url"] == server.url
    assert sorted(path.name for path in out.parent.iterdir()) == ["weights.pth", "weights.pth.source.json"]
    # A second time nothing is fetched.
    fetch(server.url, out, sha256=SHA)
    assert len(server.ranges) == 1


def test_a_connection_that_breaks_is_taken_up_where_it_was(server, tmp_path):
    server.breaks = [1_000_000, 500_000]
    fetch(server.url, tmp_path / "a.pth", sha256=SHA)
    assert (tmp_path / "a.pth").read_bytes() == CONTENT
    assert server.ranges == [None, "bytes=1000000-", "bytes=1500000-"]


def test_a_later_call_goes_on(server, tmp_path):
    server.breaks = [700_000, 0]
    with pytest.raises(WeightsError, match=r"broke off after 0\.7 MB"):
        fetch(server.url, tmp_path / "a.pth", sha256=SHA)
    assert not (tmp_path / "a.pth").exists()
    assert fetch(server.url, tmp_path / "a.pth", sha256=SHA).resumed == 700_000
    assert (tmp_path / "a.pth").read_bytes() == CONTENT


def test_a_download_that_was_cut_off_when_all_had_arrived(server, tmp_path):
    (tmp_path / ".a.pth.download").write_bytes(CONTENT)
    (tmp_path / ".a.pth.download.json").write_text(json.dumps({"url": server.url, "etag": '"one"', "total": None}))
    assert fetch(server.url, tmp_path / "a.pth", sha256=SHA).resumed == 0
    assert (tmp_path / "a.pth").read_bytes() == CONTENT
    assert server.ranges == [f"bytes={len(CONTENT)}-", None]


@pytest.mark.parametrize("etag", ['"two"', 'W/"one"', None])
def test_halves_of_two_files_are_never_joined(server, tmp_path, etag):
    server.etag = etag if etag != '"two"' else '"one"'
    server.breaks = [700_000, 0, 0, 0]
    with pytest.raises(WeightsError, match="broke off"):
        fetch(server.url, tmp_path / "a.pth", sha256=SHA)
    server.breaks, server.etag = [], etag
    other = bytes(reversed(CONTENT))
    server.content = other
    fetch(server.url, tmp_path / "a.pth", sha256=hashlib.sha256(other).hexdigest())
    assert (tmp_path / "a.pth").read_bytes() == other


def test_another_file_than_asked_for_is_thrown_away(server, tmp_path):
    with pytest.raises(WeightsError, match=f"its SHA-256 is {SHA}"):
        fetch(server.url, tmp_path / "a.pth", sha256="0" * 64)
    assert list(tmp_path.iterdir()) == []


def test_what_stands_there_is_not_overwritten(server, tmp_path):
    (tmp_path / "a.pth").write_bytes(b"mine")
    with pytest.raises(WeightsError, match="Another file is there"):
        fetch(server.url, tmp_path / "a.pth", sha256=SHA)
    assert (tmp_path / "a.pth").read_bytes() == b"mine"


@pytest.mark.parametrize(
    ("path", "what", "mend"),
    [
        ("page", "gives a web page", "browser"),
        ("gone", "refuses: 404", "revision"),
        ("private", "refuses: 403", "login"),
    ],
)
def test_refusals_say_what_to_do(server, tmp_path, path, what, mend):
    with pytest.raises(WeightsError, match=what) as caught:
        fetch(server.url.replace("weights.pth", path), tmp_path / "a.pth", sha256=SHA)
    assert mend in caught.value.mend
    assert len(server.ranges) == 1


def test_sources(tmp_path):
    assert address(f"hf:owner/name/some/file.pth@{COMMIT}") == (
        f"https://huggingface.co/owner/name/resolve/{COMMIT}/some/file.pth"
    )
    with pytest.raises(WeightsError, match="another file tomorrow"):
        address("hf:owner/name/file.pth@main")
    for wrong in ("file:///etc/passwd", "ftp://host/file", "owner/name", "hf:owner/file@"):
        with pytest.raises(WeightsError, match="Not a source"):
            address(wrong)
    with pytest.raises(WeightsError, match="connection must be safe"):
        fetch("http://127.0.0.1/a", tmp_path / "a", sha256="unknown")
    with pytest.raises(WeightsError, match="Not a SHA-256"):
        fetch("https://127.0.0.1/a", tmp_path / "a", sha256="abc")


def test_an_offline_machine_stays_so(server, tmp_path, monkeypatch):
    monkeypatch.setenv("CINELOOP_OFFLINE", "1")
    with pytest.raises(WeightsError, match="declared offline"):
        fetch(server.url, tmp_path / "a.pth", sha256=SHA)
    assert not server.ranges


def test_from_the_command_line(server, tmp_path):
    result = call("weights", "fetch", server.url, "--out", "a.pth", "--sha256", SHA, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert SHA in result.stdout
    wrong = call("weights", "fetch", "hf:a/b/c@main", "--out", "b.pth", "--sha256", SHA, cwd=tmp_path)
    assert wrong.returncode == 2
    assert "commit" in wrong.stderr
