"""RP-GAN's data against the original: decoding, resize, crop, sampler order. Exact, except floats (golden
README)."""
import numpy as np
import pytest
from golden_files import close, each, folder, load, under

from tfgan_suite.data import decode, order
from tfgan_suite.data.listfile import ListFile, legacy_resize, new_size


@pytest.fixture
def pictures():
    found = folder("rpgan") / "files" / "images"
    if not found.is_dir():
        pytest.skip(f"{found} is not there")
    return found


def list_of(tmp_path, pictures, names):
    path = tmp_path / "list.txt"
    path.write_text("".join(f"{pictures / str(name)}\n" for name in names))
    return path


@each("rpgan", "data*.npz")
def test_decoded_bytes(path, pictures):
    for name, expected in under(load(path), "decoded/").items():
        assert np.array_equal(decode.read(pictures / name), expected), name


@each("rpgan", "data*.npz")
def test_size_table(path):
    for imsz, h, w, new_h, new_w in load(path).get("size_table", np.zeros((0, 5), int)):
        assert new_size(int(imsz), int(h), int(w)) == (new_h, new_w), (imsz, h, w)


@each("rpgan", "data*.npz")
def test_batch_without_crop(path, pictures, tmp_path):
    golden = load(path)
    if "same/names" not in golden:
        pytest.skip("no case without crop")
    source = ListFile(list_of(tmp_path, pictures, golden["same/names"]), int(golden["same/imsz"]), crop=False)
    close(source.crop_batch(np.arange(len(source))), golden["same/batch"], 1e-5, "batch")


@pytest.mark.parametrize("budget", [None, 0])
@each("rpgan", "data*.npz")
def test_batch_with_crop(path, pictures, tmp_path, budget):
    golden = load(path)
    if "crop/names" not in golden:
        pytest.skip("no case with crop")
    names = [str(name) for name in golden["crop/names"]]
    source = ListFile(list_of(tmp_path, pictures, names), int(golden["crop/imsz"]), crop=True, budget=budget)
    assert np.array_equal(source.sizes, golden["crop/new_size"])
    for i, name in enumerate(names):
        close(source.resized(i), golden[f"crop/resized/{name}"], 1e-3, name)
    close(source.crop_batch(np.arange(len(names)), golden["crop/offsets"]), golden["crop/batch"], 1e-5,
          "batch")


def cases(golden):
    for k in range(int(golden["n_cases"])):
        yield k, tuple(int(x) for x in golden[f"case{k}/nd_bsz_niter_calls"])


@each("rpgan", "sampler*.npz")
def test_order_is_that_of_an_uninterrupted_run(path):
    golden = load(path)
    for k, (n, bsz, start, calls) in cases(golden):
        ours = np.stack([order.rpgan_indices(n, bsz, start + i) for i in range(calls)])
        assert np.array_equal(ours, golden[f"case{k}/uninterrupted"]), k


@each("rpgan", "sampler*.npz")
def test_order_is_the_originals_where_its_resume_works(path):
    golden = load(path)
    for k, (n, bsz, start, calls) in cases(golden):
        if start * bsz < n and f"case{k}/original" in golden:
            ours = np.stack([order.rpgan_indices(n, bsz, start + i) for i in range(calls)])
            assert np.array_equal(ours, golden[f"case{k}/original"]), k


@each("rpgan", "train_*.npz")
def test_batches_of_recorded_runs(path):
    """The pictures, draws and crops of a recorded training run give its batches, to the tolerance of
    floats."""
    golden = load(path)
    decoded = [golden[f"files/{n}_decoded"] for n in range(sum(k.endswith("_decoded") for k in golden))]
    for step in range(sum(k.startswith("it") and k.endswith("/real") for k in golden)):
        name = f"it{step}"
        real = golden[f"{name}/real"]
        indices = golden[f"{name}/file_index"]
        assert np.array_equal(order.rpgan_indices(len(decoded), len(real), step), indices)
        for slot, index in enumerate(indices):
            picture = decoded[index]
            if f"{name}/crop_offsets" in golden:
                row, column = golden[f"{name}/crop_offsets"][slot, :2]
                imsz = real.shape[1]
                resized = legacy_resize(picture, new_size(imsz, *picture.shape[:2]))
                picture = resized[row:row + imsz, column:column + imsz]
            close(picture * np.float32(2 / 255) - 1, real[slot], 1e-5, f"{name} slot {slot}")
