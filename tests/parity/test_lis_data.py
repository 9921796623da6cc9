"""LIS data, augmentation, sheets, history and files against numbers recorded from aleju/gan-error-avoidance
and imgaug.
"""
import re

import numpy as np
import pytest
from golden_files import close, each, files, folder, load, under
from lis_helpers import first_words, modules_of, nearly_equal_bytes, norm_of

from tfgan_suite.data.prepare import resize
from tfgan_suite.data.source import ArraySource
from tfgan_suite.files import torch
from tfgan_suite.lis import augmentation, data, history, networks, plots, split
from tfgan_suite.lis.data import VersionCache
from tfgan_suite.metrics.statistics import SplitScores
from tfgan_suite.pictures import sheets, walks
from tfgan_suite.pictures.bytes import unit_to_uint8
from tfgan_suite.random import generator

LINES = (("loss-r-mix", "train-r0"), ("loss-r-mix", "train-r1"), ("loss-d-mix", "train-d-real"),
         ("loss-d-mix", "train-d-fake0"))
EXACT = (("multiply", augmentation.multiply, "m"), ("contrast", augmentation.contrast, "alpha"),
         ("noise", augmentation.add, "field"))


@each("lis", "data*.npz")
def test_crop_scale_and_flip(path):
    arrays = load(path)
    for name in first_words(arrays):
        case = under(arrays, name + "/")
        if "crop_size_image_size" in case:
            crop, size = case["crop_size_image_size"].tolist()
            out = data.prepare(case["in"], size, size, (crop, crop) if crop > 0 else None)
            np.testing.assert_array_equal(out, case["out"], name)
            np.testing.assert_array_equal(data.to_float(out).transpose(2, 0, 1), case["tensor"], name)
            np.testing.assert_array_equal(out[:, ::-1], case["flip"], name)


@each("lis", "data*.npz")
def test_resized_data_sets(path):
    arrays = load(path)
    for name in first_words(arrays):
        case = under(arrays, name + "/")
        if "square" in case:
            square = data.pad_to_square(case["in"])
            np.testing.assert_array_equal(square, case["square"], name)
            np.testing.assert_array_equal(resize(square, *case["out"].shape[:2]), case["out"], name)


def pictured(arrays, letter, known):
    """The image that a case was made from: that of its letter, else the one of its size."""
    named = arrays.get(f"img_{letter}")
    if named is not None and named.shape == known["out"].shape:
        return named
    return next(a for name, a in arrays.items() if name.startswith("img_")
                and a.shape == known["out"].shape)


@each("lis", "augment*.npz")
def test_exact_operations(path):
    arrays = load(path)
    for operation, function, parameter in EXACT:
        for case in first_words(under(arrays, operation + "/")):
            known = under(arrays, f"{operation}/{case}/")
            out = function(pictured(arrays, "a", known)[None], known[parameter][None])[0]
            np.testing.assert_array_equal(out, known["out"], f"{operation}/{case}")
    if "flipud" in arrays:
        np.testing.assert_array_equal(augmentation.flip_vertically(arrays["img_a"][None], None)[0],
                                      arrays["flipud"])


@each("lis", "augment*.npz")
@pytest.mark.parametrize("operation, order, mirror", [("affine3", 3, True), ("affine1", 1, False)])
def test_affine_maps(path, operation, order, mirror):
    arrays = load(path)
    for case in first_words(under(arrays, operation + "/")):
        known = under(arrays, f"{operation}/{case}/")
        image = pictured(arrays, case[-1], known)
        *shift, scale_x, scale_y, degrees = known["sx_sy_rot" if order == 3 else "tx_ty_sx_sy_rot"].tolist()
        pixels = [augmentation.shift_pixels(f, size) for f,
                  size in zip(shift, (image.shape[1], image.shape[0]))]
        matrix = augmentation.affine_matrix(scale_x, scale_y, degrees, *pixels)
        out = augmentation.affine(image[None], matrix[None], order, mirror)[0]
        nearly_equal_bytes(out, known["out"], 0.02, f"{operation}/{case}")


@each("lis", "augment*.npz")
def test_statistics_of_whole_sets(path):
    arrays = load(path)
    for name in first_words(under(arrays, "stats/")):
        known, n = under(arrays,
                         # so that the noise of the recorded 4000 is nearly all
                         # there is
                         f"stats/{name}/"), 20000
        plain = np.full((n, 8, 8, 3), 100, np.uint8)
        out = augmentation.augment(plain, augmentation.SETS[name], [generator(1, i) for i in range(n)])
        means, spreads = out.mean((1, 2, 3)), out.reshape(n, -1).std(1)
        actual = {"frac_unchanged": np.mean((out == 100).all((1, 2, 3))),
                  "mean_of_image_means": means.mean(),
                  "std_of_image_means": means.std(), "mean_within_image_std": spreads.mean()}
        for key, value in known.items():
            assert abs(actual[key] - value) <= 0.1 * value, f"{name}/{key}: {actual[key]}, expected {value}"


@each("lis", "image*.npz")
def test_cache_follows_the_recorded_run(path):
    known = load(path)
    cache = VersionCache(int(known["nb_cache_total"]), int(known["nb_cache_lists"]), float(known["p_drop"]))
    loads = 0
    for i, key in enumerate(known["key"].tolist()):
        u = float(known["uniform_drawn_or_minus1"][i])
        version = cache.look_up(key, int(known["list_drawn"][i]), max(u, 0.0), loads + 1)
        loads = max(loads, version)
        assert key * 1000 + version == known["returned_key_times_1000_plus_loadcounter"][i], f"call {i}"
        assert cache.count == known["nb_cached_after"][i], f"call {i}"


def recorded_history(arrays):
    recorded = history.History()
    for line, x, y in arrays["rows_line_x_y"]:
        recorded.append(*LINES[int(line)], int(x), y)
    return recorded


@each("lis", "history*.npz")
def test_history_csv(path):
    arrays = load(path)
    for name in [n[:-len("_args")] for n in arrays if n.endswith("_args")]:
        words = str(arrays[name + "_args"]).split()
        chosen = {flag[2:]: int(value) for flag, value in zip(words[::2], words[1::2])}
        text, expected = recorded_history(arrays).csv(**chosen), str(arrays[name])
        assert text[:len(expected)] == expected, name
        # of that one the fixture holds the first lines only
        assert name.endswith("default") or text == expected, name


@each("lis", "history*.npz")
def test_points_of_a_loss_plot(path):
    arrays = load(path)
    lines = recorded_history(arrays).groups
    by_number = (lines["loss-r-mix"]["train-r0"], lines["loss-d-mix"]["train-d-real"])
    for name in [n[:-2] for n in arrays if n.startswith("plot_") and n.endswith("_x")]:
        words = name.split("_")[1:]
        if words[0].startswith("max"):
            xs, ys = by_number[1].reduced(100, 701, int(words[0][3:]))
        else:
            xs, ys = by_number[int(words[0])].reduced(int(words[1]), int(words[2]))
        np.testing.assert_array_equal(xs, arrays[name + "_x"], name)
        close(ys, arrays[name + "_y"], 1e-6, name)


@each("lis", "sampling*.npz")
def test_sheets(path):
    arrays = load(path)
    for name in [n for n in arrays if "draw_grid_" in n]:
        chosen = {word: int(n) for word, n in re.findall(r"(rows|cols|border)(\d+)", name)}
        border = {"border": 0} if name.startswith("ia_") else {}
        np.testing.assert_array_equal(sheets.draw_grid(arrays["images"], **{**chosen, **border}),
                                      arrays[name], name)
    for name in [n for n in arrays if n.startswith("save_image_nrow")]:
        tensor = unit_to_uint8(arrays["tensor"].transpose(0, 2, 3, 1))
        np.testing.assert_array_equal(sheets.torch_sheet(tensor, int(name[len("save_image_nrow"):])),
                                      arrays[name], name)


def sampling_networks(arrays):
    """G-LIS, R and R-iterative's G of a sampling fixture."""
    width, height, features, levels, code, modules = arrays["cfg_w_h_nfeature_nlayer_code_nlis"].tolist()
    size, make = networks.pyramid(width, height, levels), networks.LisMaker(norm_of(under(arrays, "gen/")))
    assert modules == modules_of(under(arrays, "gen/"))
    g = networks.GeneratorLIS(size, features, code, make, modules)
    r = networks.reverser(size, features // 2, code, make)
    body = networks.generator(size, features, code, make)
    for network, prefix in ((g, "gen/"), (r, "r/"), (body, "riter_gen/")):
        network.assign(under(arrays, prefix))
    return g, r, body


@each("lis", "sampling*.npz")
def test_samples_interpolations_and_perturbations(path):
    arrays = load(path)
    g, r, _ = sampling_networks(arrays)
    codes = arrays["code"]
    for k in [int(n[len("images_r"):]) for n in arrays if re.fullmatch(r"images_r\d+", n)]:
        plain = g(codes, executed=k).numpy()
        made = {"images": plain, "images_rsep": g(r(plain), executed=k),
                "interp": g(walks.even_steps(codes[0], codes[1]), executed=k)}
        for name in [n for n in made if f"{n}_r{k}" in arrays]:
            nearly_equal_bytes(unit_to_uint8(made[name]), arrays[f"{name}_r{k}"], 0.01, f"{name}_r{k}")
        if f"pert_r{k}" in arrays:  # its first picture is of twice the code, a defect; ours is of the code
            frames = unit_to_uint8(g(walks.neighbours(codes[2], arrays["pert_noise"]), executed=k))
            nearly_equal_bytes(frames[1:], arrays[f"pert_r{k}"][1:], 0.01, f"pert_r{k}")
            nearly_equal_bytes(frames[0], arrays[f"images_r{k}"][2], 0.01, f"pert_r{k} first")
        if f"images_r{k}_output_scale_wrapped" in arrays:  # what wraps around there is black here
            scaled, light = unit_to_uint8(plain, output_scale=True), plain > 0.51
            nearly_equal_bytes(scaled[light], arrays[f"images_r{k}_output_scale_wrapped"][light], 0.01,
                               "output_scale")
            assert not scaled[plain < 0.5].any()


@each("lis", "sampling*.npz")
def test_rounds_of_r_iterative(path):
    arrays = load(path)
    _, r, body = sampling_networks(arrays)
    codes, k = arrays["code"], 0
    while f"riter_images_r{k}" in arrays:
        drawn = body(codes)
        nearly_equal_bytes(unit_to_uint8(drawn), arrays[f"riter_images_r{k}"], 0.01, f"round {k}")
        codes = r(drawn).numpy()
        close(codes, arrays[f"riter_code_after_r{k}"], 1e-5, f"code after round {k}")
        k += 1


@each("lis", "sampling*.npz")
def test_codes_and_histograms_of_density_plots(path):
    arrays = load(path)
    g, _, _ = sampling_networks(arrays)
    codes = 3 * arrays["code"]
    vectors = [codes, *g.move(codes)]
    for name in [n for n in arrays if n.startswith("density_codes_r")]:
        k = int(name[len("density_codes_r"):])
        close(np.clip(vectors[k], -plots.CLIP, plots.CLIP), arrays[name], 1e-4, f"after {k} modules")
    xs, ys = plots.histogram(arrays["hist_values"])
    close(xs, arrays["hist_x"], 1e-5, "middles of the bins")
    close(ys, arrays["hist_y"], 1e-9, "shares")


@each("lis", "inception*.npz")
def test_inception_score_of_recorded_predictions(path):
    arrays = load(path)
    predictions = arrays["preds"].astype(np.float64)
    for name in [n for n in arrays if n.startswith("mean_splits")]:
        splits = int(name[len("mean_splits"):])
        scores = SplitScores(len(predictions), splits)
        scores.add(predictions, np.log(predictions))
        mean, deviation = scores.result()
        close(mean, arrays[name], 1e-4, name)
        close(deviation, arrays[f"std_splits{splits}"], 1e-4, name)


def original_files(pattern):
    """Each fixture of files with its folder."""
    return pytest.mark.parametrize("path", [pytest.param(p, id=p.name)
                                            for p in sorted(folder("lis").rglob(pattern))])


@original_files("data_index.pt")
def test_split_of_the_original_is_read(path):
    expected = [under(load(f), "data_index/") for f in files("lis", "files_expected*.npz")]
    parts = torch.load(path)
    match = [e for e in expected if len(e.get("train", ())) == len(parts["train"])]
    source = ArraySource(np.zeros((len(parts["train"]) + len(parts["final_test"]), 4, 4, 3), np.uint8))
    found = split.read(path.parent, "folder", source, "again")
    for part in split.PARTS:
        np.testing.assert_array_equal(getattr(found, part), match[0][part] if match else parts[part])


@original_files("*_state.pt")
def test_history_of_the_original_is_read(path):
    state, found = torch.load(path), history.from_original(path)
    assert found.groups
    last = max(line.xs[-1] for _, line in found.lines() if len(line.xs))
    assert last == state["current_iter"]
    assert all(np.isfinite(line.ys).all() for _, line in found.lines())
