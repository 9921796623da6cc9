"""The real code that finds, downloads, checks, loads and feeds the graph, on a small graph of the same
make."""
import functools
import http.server
import tarfile
import threading
from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf
import tiny_graph
from toys import pictures

from tfgan_suite.errors import UserError
from tfgan_suite.metrics import cache, graph_file
from tfgan_suite.metrics.graph_file import FILE, TARBALL, GraphFile
from tfgan_suite.metrics.inception import Inception


@pytest.fixture
def file(tmp_path):
    return tiny_graph.write(tmp_path / FILE)


@pytest.fixture
def home(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    return graph_file.folder()


@pytest.mark.parametrize("size", [(16, 16), (20, 31)])
def test_old_features_and_logits_equal_the_formulas(file, size):
    x = np.random.default_rng(0).integers(0, 256, (5, *size, 3), dtype=np.uint8)
    pool, logits = tiny_graph.expected(x, tiny_graph.weights())
    found = Inception(file).judge(x)
    np.testing.assert_allclose(found[0], pool, atol=1e-5)
    np.testing.assert_allclose(found[1], logits, atol=1e-4)


def test_new_logits_have_the_bias_and_a_thousand_classes(file):
    x = pictures(4)
    w = tiny_graph.weights()
    resized = tf.raw_ops.ResizeBilinear(images=2 * (x.astype(np.float32) / 255 - 0.5), size=[299, 299])
    y = tf.nn.conv2d(resized, w["conv"], 2, "SAME").numpy()
    y = np.maximum((y - w["mean"]) / np.sqrt(w["variance"] + 0.001) * w["gamma"] + w["beta"],
                   0).mean(axis=(1, 2))
    np.testing.assert_allclose(Inception(file).new_logits(x), (y @ w["softmax"] + w["bias"])[:, :1000],
                               atol=1e-3)


def test_batches_of_any_size_give_the_same(file):
    graph, x = Inception(file), pictures(7)
    whole = graph.judge(x)[1]
    for batch in (1, 3):
        parts = [graph.judge(x[i:i + batch])[1] for i in range(0, 7, batch)]
        np.testing.assert_allclose(np.concatenate(parts), whole, atol=1e-5)


@pytest.mark.parametrize("lost, message, both", [
    ("pool_3", "lacks the tensor 'pool_3:0'; it is not the 2015 Inception graph", True),
    ("Mul", "lacks the tensor 'Mul:0'; it is not the 2015 Inception graph", False),
    ("bias", "does not compute as the 2015 Inception graph", False)])
def test_an_odd_graph_is_one_line(tmp_path, lost, message, both):
    """`is_new` looks at more of the graph than `is` does."""
    graph = Inception(tiny_graph.write(tmp_path / FILE, leave_out=lost))
    with pytest.raises(UserError, match=f"^[^\n]*{message}[^\n]*$"):
        graph.new_logits(pictures(2))
    if both:
        with pytest.raises(UserError, match=message):
            graph.judge(pictures(2))
    else:
        assert graph.judge(pictures(2))[1].shape == (2, 1008)


def test_a_file_that_is_no_graph_is_one_line(tmp_path):
    path = tmp_path / FILE
    path.write_bytes(b"no graph at all" * 10)
    with pytest.raises(UserError, match="frozen graph"):
        Inception(GraphFile(path, cache.sha256(path))).judge(pictures(1))


# -- finding and checking ------------------------------------------------------------------------------------
def test_found_by_option_variable_and_cache_in_this_order(file, home, monkeypatch, tmp_path):
    for name, seed in (("variable.pb", 1), (f"home/tfgan_suite/inception/{FILE}", 2)):
        tiny_graph.write(tmp_path / name, seed)
    monkeypatch.setattr(graph_file, "ORIGINAL", replace(graph_file.ORIGINAL, size=0, digest=""))
    assert graph_file.find().path == home / FILE
    monkeypatch.setenv(graph_file.VARIABLE, str(tmp_path / "variable.pb"))
    assert graph_file.find().path.name == "variable.pb"
    assert graph_file.find(str(file.path)) == file
    assert graph_file.find(str(file.path.parent)) == file  # the folder will do


def test_another_graph_needs_its_sha256(file, monkeypatch):
    with pytest.raises(UserError, match=f"--graph_sha256={file.sha256}"):
        graph_file.find(str(file.path))
    assert graph_file.find(str(file.path), file.sha256.upper()) == file
    with pytest.raises(UserError, match="has SHA-256"):
        graph_file.find(str(file.path), "0" * 64)
    monkeypatch.setenv(graph_file.SHA_VARIABLE, file.sha256)
    assert graph_file.find(str(file.path)) == file


def test_the_graph_in_the_cache_is_held_to_its_first_sha256(home):
    file = tiny_graph.write(home / FILE)
    assert graph_file.find(sha256=file.sha256) == file
    assert graph_file.find() == file  # accepted once
    tiny_graph.write(home / FILE, seed=5)
    with pytest.raises(UserError, match="has SHA-256"):
        graph_file.find()


def test_a_missing_graph_is_one_line_that_says_where_to_put_it(home, monkeypatch, tmp_path):
    with pytest.raises(UserError, match=f"{home}.*--download"):
        graph_file.find()
    with pytest.raises(UserError, match="--graph must name"):
        graph_file.find(str(tmp_path / "nothing.pb"))
    monkeypatch.setenv(graph_file.VARIABLE, str(tmp_path / "nothing.pb"))
    with pytest.raises(UserError, match="TFGAN_SUITE_INCEPTION must name"):
        graph_file.find()


# -- downloading ---------------------------------------------------------------------------------------------
@pytest.fixture
def server(tmp_path):
    """A web server of a folder with the tar file."""
    (tmp_path / "web").mkdir()
    file = tiny_graph.write(tmp_path / FILE)
    with tarfile.open(tmp_path / "web" / TARBALL.name, "w:gz") as archive:
        archive.add(file.path, FILE)

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    handler = functools.partial(Quiet, directory=tmp_path / "web")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield replace(TARBALL, url=f"http://127.0.0.1:{running.server_port}/{TARBALL.name}", size=0), file
        running.shutdown()


def test_download_on_request_only_and_once(server, home):
    tarball, file = server
    found = graph_file.find(sha256=file.sha256, download=True, tarball=tarball)
    assert found.path == home / FILE and found.sha256 == file.sha256
    assert graph_file.find(tarball=replace(tarball, url="http://127.0.0.1:1/gone"), download=True) == found
    assert not list(home.glob("*.partial"))


def test_a_download_of_another_file_is_refused(server, home):
    with pytest.raises(UserError, match="not the original"):
        graph_file.find(download=True, tarball=server[0])
    assert not (home / FILE).exists()
