"""Fixtures of the data tests."""
import pytest

from .pictures import encoded


@pytest.fixture
def photos(tmp_path, monkeypatch):
    """Current folder with pictures a.png, b.jpg, c.png of 8x8."""
    monkeypatch.chdir(tmp_path)
    for seed, (name, kind) in enumerate((("a.png", "PNG"), ("b.jpg", "JPEG"), ("c.png", "PNG"))):
        (tmp_path / name).write_bytes(encoded(kind, seed=seed))
    return tmp_path
