"""The metrics' tests keep their caches to themselves: one folder for all of them, one per test where a test
fills it."""
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))


@pytest.fixture(scope="session")
def shared_cache(tmp_path_factory):
    """The cache folder that holds the digits classifier, trained once for all tests."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def _cache(monkeypatch, shared_cache):
    monkeypatch.setenv("XDG_CACHE_HOME", str(shared_cache))
    for name in ("TFGAN_SUITE_INCEPTION", "TFGAN_SUITE_INCEPTION_SHA256"):
        monkeypatch.delenv(name, raising=False)
