"""Host side of the DCGAN port: images, order and noise, grids, checkpoints (golden/jsreg_dcgan/README.md)."""
import golden_files as golden
import numpy as np
import pytest
import tensorflow as tf
from jsreg_helpers import each_with, parameters
from PIL import Image

from tfgan_suite import penalties
from tfgan_suite.jsreg.dcgan import convert, data
from tfgan_suite.jsreg.dcgan.stream import Prior, Stream
from tfgan_suite.jsreg.dcgan.system import JSRegDCGAN
from tfgan_suite.pictures import bytes, sheets

SYSTEM = "jsreg_dcgan"


def each_stream(kind: str):
    """Parametrises a test over the recorded training loops whose name starts with `kind`, of all files."""
    found = []
    for file in golden.files(SYSTEM, "*.npz"):
        with np.load(file) as arrays:
            names = {key.split("/")[0] for key in arrays.files if key.startswith(kind)
                     and key.endswith("/call_order")}
        found += [pytest.param(file, name, id=f"{file.stem}-{name}") for name in sorted(names)]
    missing = pytest.param(None, "", marks=pytest.mark.skip(reason=f"{golden.folder(SYSTEM)} has no {kind}"))
    return pytest.mark.parametrize("path, name", found or [missing])


def cases(arrays, prefix):
    """Case name -> its arrays."""
    names = dict.fromkeys(key.split("/")[1] for key in arrays if key.startswith(prefix))
    return {name: golden.under(arrays, f"{prefix}{name}/") for name in names}


@each_with(SYSTEM, "img/")
def test_images(path):
    for name, case in cases(golden.load(path), "img/").items():
        crop = tuple(case["crop_hw"]) if "crop_hw" in case else None
        found = data.prepared(case["input_uint8"], crop, tuple(case["out_hw"])) / 127.5 - 1.0
        np.testing.assert_array_equal(found, case["output"], err_msg=name)


@each_with(SYSTEM, "grid/")
def test_grids(path):
    for name, case in cases(golden.load(path), "grid/").items():
        samples = case["samples"]
        if samples.shape[-1] == 1:  # from a sigmoid
            samples = 2.0 * samples.astype(np.float64) - 1.0
        sheet = sheets.grid(bytes.carpedm20(samples), *case["size"])
        pixels = case["pixels"] if case["pixels"].ndim == 3 else np.repeat(case["pixels"][..., None], 3, -1)
        np.testing.assert_array_equal(sheet, pixels, err_msg=name)


def check_stream(recorded, stream, labels, steps, epochs):
    """Replays the original's session calls: D and G take draws, S the held-out batch, C nothing."""
    order = str(recorded["call_order"])
    done = {"D": 0, "G": 0}
    for j, call in enumerate(order):
        draw, part = stream.at(done["G"]), done["D"] % steps
        rows = slice(part * stream.batch, (part + 1) * stream.batch)
        found = {"D": (draw.items[rows], draw.d_z[rows], None), "G": (None, draw.g_z, draw.g_labels),
                 "S": (stream.fixed_items, stream.fixed_z, None)}.get(call)
        if call in done:
            done[call] += 1
        if f"call{j}/z" not in recorded:
            continue
        items, z, classes = found
        np.testing.assert_array_equal(z, recorded[f"call{j}/z"])
        if items is not None:
            np.testing.assert_array_equal(items, recorded[f"call{j}/inputs"])
            classes = labels[items] if labels is not None else None
        if classes is not None:
            np.testing.assert_array_equal(classes, recorded[f"call{j}/y"].argmax(1))
    assert done["G"] == stream.per_epoch * epochs


def sizes(recorded):
    """Batch, prior, D steps, iterations, epochs of a recorded stream."""
    drawn = [value for key, value in recorded.items() if key.endswith("/z")]
    batch, z = drawn[0].shape
    order = str(recorded["call_order"])
    epochs = int(str(recorded["console_line_0"]).split("/")[1].split()[0].rstrip("]"))
    return batch, Prior(z, max(np.abs(d).max()
                               for d in drawn) > 1.0), order.index("G"), order.count("G"), epochs


@each_stream("mnist_stream")
def test_order_and_noise_of_mnist(path, name):
    recorded = golden.under(golden.load(path), f"{name}/")
    batch, prior, steps, total, epochs = sizes(recorded)
    labels = (7919 * np.arange(70000)) % 10
    limit = total // epochs * batch * steps
    check_stream(recorded, Stream(70000, batch, steps, prior, 10, 0, limit), labels, steps, epochs)


@each_stream("unlabelled_stream")
def test_order_and_noise_of_unlabelled_sets(path, name):
    recorded = golden.under(golden.load(path), f"{name}/")
    batch, prior, steps, total, epochs = sizes(recorded)
    used, seed, first = total // epochs * batch * steps, int(name.rsplit("_", 1)[1]), recorded["call0/inputs"]
    streams = (Stream(count, batch, steps, prior, seed=seed, limit=used)
               for count in range(batch + used, batch + used + 5000))
    stream = next(s for s in streams
                  if np.array_equal(s.at(0).items[:batch], first))  # the set's size is not recorded
    check_stream(recorded, stream, None, steps, epochs)


@each_stream("")
def test_console_schedule_and_saves(path, name):
    recorded = golden.under(golden.load(path), f"{name}/")
    _, _, steps, total, epochs = sizes(recorded)
    gammas = recorded["gammas_of_D_calls"]
    system = JSRegDCGAN(parameters(
        SYSTEM, dataset="lsun", output_height=16, gf_dim=1, df_dim=1, epochs=epochs, gamma=gammas[0],
        annealing=True,
        decay_factor=gammas[-1] / gammas[0], disc_update_steps=steps), training=False)
    system._stream = type("Counted", (), {"per_epoch": total // epochs})()
    found = [float(penalties.js_gamma(system.params, tf.constant(i), system.iterations))
             for i in range(total)]
    np.testing.assert_allclose(np.repeat(found, steps), gammas, rtol=1e-6)
    line = system.timed_console(0, {"gamma": found[0], "disc_loss": 0.0, "unreg_gen_loss": 0.0}, 1.0)[0]
    assert line.startswith(str(recorded["console_line_0"]))
    assert [i for i in range(1, total + 1) if system.save_due(i)
            or i == total] == sorted(set(recorded["save_steps"]))


@golden.each(SYSTEM, "files/*/expected.npz")
def test_checkpoints_of_the_original(path):
    expected = golden.load(path)
    variables = golden.under(expected, "var/")
    _, height, width, channels = expected["images"].shape
    y = expected.get("y")
    changes = {"output_height": height, "output_width": width, "dataset": "mnist"
               if y is not None else "lsun",
               "z_dim": expected["z"].shape[1]}
    if y is None:
        changes.update(gf_dim=variables["generator/g_h3/biases"].size,
                       df_dim=variables["discriminator/d_h0_conv/biases"].size)
    else:
        changes.update(gf_dim=variables["generator/g_h2/biases"].size // 2,
                       gfc_dim=variables["generator/g_h0_lin/biases"].size,
                       df_dim=variables["discriminator/d_h1_conv/biases"].size - y.shape[1],
                       dfc_dim=variables["discriminator/d_h2_lin/biases"].size)
    params = parameters(SYSTEM, **changes)
    system = JSRegDCGAN(params)
    assert convert.iteration(str(path.parent), params) == expected["g_iterations"]
    for kind, arrays in convert.convert(str(path.parent), params).items():
        system.load_original(kind, arrays)
        for name, value in arrays.items():
            np.testing.assert_array_equal(value, variables[name])
    made = system.networks["g"](expected["z"], y, training=False).numpy()
    golden.gradient_close(made, expected["G_eval"], 1e-5, "G")
    for name, batch in {"D1_logits_eval": expected["images"], "D2_logits_eval": expected["G_eval"]}.items():
        logits = system.networks["d"](tf.constant(batch, tf.float32), y, training=False)
        golden.gradient_close(logits, expected[name][:, 0], 1e-5, name)
    if (path.parent / "grid.png").is_file():
        check_sheet(system, expected, path.parent / "grid.png")


def check_sheet(system, expected, path):
    """The square sheet of samples, but for truncation edges."""
    labels = expected["y"].argmax(1) if "y" in expected else None
    made = system.to_uint8(system.generate(expected["z"], labels))
    side = int(np.ceil(np.sqrt(len(made))))
    with Image.open(path) as picture:
        pixels = np.asarray(picture.convert("RGB")).astype(int)
    assert np.abs(sheets.grid(made, side, side) - pixels).max() <= 1
