"""Downloads against a server on loopback: resumed, checked, unpacked, no half files."""
import fcntl
import gzip
import hashlib
import io
import os
import tarfile
import zipfile

import numpy as np
import pytest

from tfgan_suite.data import catalog, download
from tfgan_suite.data.catalog import Archive, DataSet
from tfgan_suite.errors import UserError

from .server import serve

CONTENT = np.random.default_rng(0).bytes(200_000)
MD5 = "md5:" + hashlib.md5(CONTENT).hexdigest()


def zipped(files):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def tarred(files, link=""):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
        if link:
            entry = tarfile.TarInfo(link)
            entry.type, entry.linkname = tarfile.SYMTYPE, "/etc/passwd"
            archive.addfile(entry)
    return buffer.getvalue()


@pytest.fixture
def site():
    with serve({"a.bin": CONTENT}) as (site, address):
        site.address = address
        yield site


def archive(site, **changes):
    return Archive(**{"url": f"{site.address}/a.bin", "name": "a.bin", "size": len(CONTENT), "digest": MD5,
                      **changes})


def fetch(site, folder, **changes):
    return download.fetch(archive(site, **changes), folder, attempts=3, wait=0.01, timeout=5)


def test_plain_download(site, tmp_path):
    assert fetch(site, tmp_path).read_bytes() == CONTENT
    assert os.listdir(tmp_path) == ["a.bin"]
    fetch(site, tmp_path)
    assert len(site.requests) == 1  # the second time it was there


def test_broken_connections_are_resumed(site, tmp_path):
    site.cut = [50_000, 30_000, 0, 1000]
    assert fetch(site, tmp_path).read_bytes() == CONTENT
    assert site.requests[1][1] == "bytes=50000-" and len(site.requests) == 5
    assert os.listdir(tmp_path) == ["a.bin"]


def test_next_call_goes_on_where_the_last_stopped(site, tmp_path):
    site.cut = [70_000, 0, 0, 0]
    with pytest.raises(UserError, match="goes on where it stopped"):
        fetch(site, tmp_path)
    assert "a.bin" not in os.listdir(tmp_path) and (tmp_path / "a.bin.partial").stat().st_size == 70_000
    site.requests.clear()
    site.cut = []
    assert fetch(site, tmp_path).read_bytes() == CONTENT
    assert site.requests == [("a.bin", "bytes=70000-")] and os.listdir(tmp_path) == ["a.bin"]


def test_server_without_ranges_starts_again(site, tmp_path):
    site.ranges, site.cut = False, [70_000]
    assert fetch(site, tmp_path).read_bytes() == CONTENT


def test_file_that_changed_in_between_starts_again(site, tmp_path):
    site.cut = [70_000, 0, 0]
    with pytest.raises(UserError):
        download.fetch(archive(site), tmp_path, attempts=1, wait=0)
    site.cut, site.files["a.bin"] = [], CONTENT[::-1]
    assert fetch(site, tmp_path, digest="").read_bytes() == CONTENT[::-1]


@pytest.mark.parametrize("left", [CONTENT, CONTENT + b"too much"])
def test_partial_file_that_is_complete_or_too_long(site, tmp_path, left):
    (tmp_path / "a.bin.partial").write_bytes(left)
    assert fetch(site, tmp_path).read_bytes() == CONTENT


@pytest.mark.parametrize("changes, problem", [
    ({"size": 5}, "has 200000 bytes, not 5"), ({"digest": "md5:0"}, "has md5 .*, not 0"),
    ({"size": 0, "digest": "sha256:0"}, "has sha256")])
def test_wrong_content_is_not_kept(site, tmp_path, changes, problem):
    with pytest.raises(UserError, match=problem):
        fetch(site, tmp_path, **changes)
    assert os.listdir(tmp_path) == []
    (tmp_path / "a.bin").write_bytes(CONTENT)
    with pytest.raises(UserError, match=f"{problem}.*delete it"):
        fetch(site, tmp_path, **changes)


def test_refusals(site, tmp_path):
    with pytest.raises(UserError, match="404.*download it by hand"):
        fetch(site, tmp_path, url=f"{site.address}/none")
    site.status = 503
    with pytest.raises(UserError, match="503.*try again later"):
        fetch(site, tmp_path)
    site.status, site.html = 0, True
    with pytest.raises(UserError, match="sent a web page"):
        fetch(site, tmp_path)
    with pytest.raises(UserError, match="refused.*try again later"):
        fetch(site, tmp_path, url="http://127.0.0.1:9/a.bin")
    assert os.listdir(tmp_path) == []


FILES = {"top/1.jpg": b"one", "top/deep/2.jpg": b"two"}


@pytest.mark.parametrize("kind, content", [
    ("zip", zipped({**FILES, "__MACOSX/._1.jpg": b"x"})), ("tar", tarred(FILES, "top/link"))])
def test_unpacking(tmp_path, kind, content):
    (tmp_path / "a").write_bytes(content)
    assert download.unpack(tmp_path / "a", kind, tmp_path / "out", "top") == 2
    assert (tmp_path / "out/deep/2.jpg").read_bytes() == b"two" and sorted(os.listdir(tmp_path / "out")) == [
        "1.jpg",
        "deep",
    ]


@pytest.mark.parametrize("kind, content", [
    ("zip", zipped({"ok": b"", "../evil": b"x"})), ("tar", tarred({"ok": b"", "../../evil": b"x"})),
    ("tar", tarred({"/evil": b"x"})), ("zip", zipped(FILES)[:-30]), ("tar", tarred(FILES)[:60]),
    ("gz", gzip.compress(CONTENT)[:-1000]), ("zip", b""), ("gz", b"no")])
def test_hostile_and_broken_archives_leave_nothing(tmp_path, kind, content):
    (tmp_path / "a.gz").write_bytes(content)
    with pytest.raises(UserError, match="a.gz: "):
        download.unpack(tmp_path / "a.gz", kind, tmp_path / "out")
    assert not (tmp_path / "out").exists() or os.listdir(tmp_path / "out") == []
    assert not (tmp_path / "evil").exists() and not (tmp_path.parent / "evil").exists()


@pytest.fixture
def dataset(site):
    site.files.update({"b.zip": zipped(FILES), "c.gz": gzip.compress(CONTENT)})
    return DataSet("tiny", "", "http://home", (Archive(f"{site.address}/b.zip", "b.zip", unpack="zip"),
                                               Archive(f"{site.address}/c.gz", "c.gz", unpack="gz")), "top")


def test_whole_data_set_once(site, dataset, tmp_path):
    assert download.download(dataset, tmp_path / "t", wait=0) == 3
    assert sorted(os.listdir(tmp_path / "t")) == [".downloaded", "1.jpg", "c", "deep"]
    assert (tmp_path / "t/c").read_bytes() == CONTENT
    assert download.download(dataset, tmp_path / "t", wait=0) == 0 and len(site.requests) == 2
    for name in ("1.jpg", "c", "deep/2.jpg"):
        (tmp_path / "t" / name).unlink()
    (tmp_path / "t/deep").rmdir()
    assert download.download(dataset, tmp_path / "t", wait=0,
                             keep=True) == 3 and (tmp_path / "t/b.zip").exists()


def test_second_archive_fails_and_is_fetched_later(site, dataset, tmp_path):
    good = site.files.pop("c.gz")
    with pytest.raises(UserError, match="404"):
        download.download(dataset, tmp_path, wait=0)
    site.files["c.gz"] = good
    assert download.download(dataset, tmp_path, wait=0) == 3
    assert [name for name, _ in site.requests] == ["b.zip", "c.gz", "c.gz"]


def test_unwritable_folder(dataset, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot write"):
        download.download(dataset, tmp_path / "file", wait=0)


def test_catalogue_is_sound():
    for dataset in catalog.DATASETS.values():
        assert dataset.home.startswith("http") and dataset.about
        for entry in dataset.archives:
            kind, _, digest = entry.digest.partition(":")
            assert entry.url.startswith("http") and entry.unpack in ("zip", "tar", "gz")
            assert not digest or len(digest) == {"md5": 32, "sha256": 64}[kind]


def test_two_downloads_of_one_file(tmp_path):
    with serve({"a.bin": b"x" * 100}) as (_, address), open(tmp_path / "a.bin.partial", "ab") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(UserError, match="another process is downloading it"):
            download.fetch(Archive(f"{address}/a.bin", "a.bin"), tmp_path)
        fcntl.flock(other, fcntl.LOCK_UN)
        download.fetch(Archive(f"{address}/a.bin", "a.bin"), tmp_path)
    assert (tmp_path / "a.bin").read_bytes() == b"x" * 100 and os.listdir(tmp_path) == ["a.bin"]


def test_a_download_without_a_checksum_says_so(tmp_path, capsys):
    with serve({"a.bin": b"x"}) as (_, address):
        download.fetch(Archive(f"{address}/a.bin", "a.bin"), tmp_path)
    assert "without encryption" in (said := capsys.readouterr().err) and "no checksum is known" in said
    assert hashlib.sha256(b"x").hexdigest() in said
