"""Streams of samples: complete, repeatable, independent of the batch size."""
import numpy as np
import pytest
from PIL import Image
from toys import ToySystem, pictures

from tfgan_suite.data.source import ArraySource
from tfgan_suite.errors import UserError
from tfgan_suite.metrics import samples
from tfgan_suite.metrics.samples import SourceSamples, SystemSamples, score_bytes


def all_of(stream):
    parts = list(stream.batches())
    labels = None if parts[0][1] is None else np.concatenate([p[1] for p in parts])
    return np.concatenate([p[0] for p in parts]), labels


@pytest.mark.parametrize("n", [1, 99, 100, 101, 250])
def test_samples_do_not_depend_on_the_batch(n):
    reference, labels = all_of(SystemSamples(ToySystem(classes=7), n, 3, 100))
    assert len(reference) == len(labels) == n
    for batch in (1, 64, 1000):
        found, found_labels = all_of(SystemSamples(ToySystem(classes=7), n, 3, batch))
        np.testing.assert_array_equal(found, reference)
        np.testing.assert_array_equal(found_labels, labels)


def test_samples_go_on_beyond_a_chunk_of_latents(monkeypatch):
    monkeypatch.setattr(samples, "CHUNK", 10)
    small, _ = all_of(SystemSamples(ToySystem(), 35, 0, 7))
    assert len(np.unique(small.reshape(35, -1), axis=0)) == 35
    np.testing.assert_array_equal(small, all_of(SystemSamples(ToySystem(), 35, 0, 35))[0])


def test_the_first_samples_are_those_of_the_latents_of_that_seed():
    system = ToySystem()
    found, _ = all_of(SystemSamples(system, 12, 5))
    np.testing.assert_array_equal(found, system.to_uint8(system.generate(system.latents(12, 5))))


def test_generators_with_batch_statistics_see_full_batches_only():
    system = ToySystem(statistics=True)
    found, _ = all_of(SystemSamples(system, 45, 0, 20))
    assert system.calls == [20, 20, 20] and len(found) == 45
    np.testing.assert_array_equal(found, all_of(SystemSamples(ToySystem(statistics=True), 60, 0, 20))[0][:45])


@pytest.mark.parametrize("n, batch", [(0, 10), (10, 0)])
def test_no_samples_is_one_line(n, batch):
    with pytest.raises(UserError, match="at least 1"):
        SystemSamples(ToySystem(), n, 0, batch)


def test_score_bytes_are_the_originals():
    x = np.array([-1, -0.5, 0, 0.5, 1], np.float32)
    np.testing.assert_array_equal(score_bytes(x), (x.astype(np.float64) + 1) * (255.99 / 2) // 1)


def test_source_gives_each_image_once_in_a_drawn_order():
    array = pictures(53)
    found, _ = all_of(SourceSamples(ArraySource(array), batch=10))
    assert not np.array_equal(found, array)
    np.testing.assert_array_equal(np.sort(found.sum((1, 2, 3))), np.sort(array.sum((1, 2, 3))))
    np.testing.assert_array_equal(found, all_of(SourceSamples(ArraySource(array), batch=53))[0])


def test_fingerprint_is_of_content_and_size_not_of_the_batch():
    array = pictures(20)
    prints = {SourceSamples(ArraySource(array), batch=b).fingerprint() for b in (3, 20)}
    assert len(prints) == 1
    changed = array.copy()
    changed[7, 0, 0, 0] ^= 1
    assert SourceSamples(ArraySource(changed)).fingerprint() not in prints
    assert SourceSamples(ArraySource(array), (8, 8)).fingerprint() not in prints


def test_folder_of_images_with_sub_folders_and_sizes(tmp_path):
    (tmp_path / "a").mkdir()
    for i, picture in enumerate(pictures(5, 8)):
        Image.fromarray(picture).save(tmp_path / ("a" if i % 2 else "") / f"{i}.png")
    assert len(all_of(samples.folder(tmp_path))[0]) == 5
    assert len(all_of(samples.folder(tmp_path, n=3))[0]) == 3
    with pytest.raises(UserError, match="5 images, 6"):
        samples.folder(tmp_path, n=6)
    Image.fromarray(pictures(1, 9)[0]).save(tmp_path / "odd.png")
    parts = [part.shape for part, _ in samples.folder(tmp_path).batches()]
    assert sorted(parts) == [(1, 9, 9, 3), (5, 8, 8, 3)]
