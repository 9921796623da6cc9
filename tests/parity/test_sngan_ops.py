"""SNGAN's parts against the originals: operations, blocks, losses, schedules, pictures, batch order. Fixtures
`ops*`, `blocks*`, `losses*`, `images*`, `data*`, and the variable lists in `files/`."""
import ast
import json
import re

import gan_lib_pictures as pictures
import golden_files as golden
import numpy as np
import pytest
import tensorflow as tf
from sngan_models import parameters

from tfgan_suite import losses, schedules
from tfgan_suite.data.cifar10 import Cifar10
from tfgan_suite.data.order import ShuffledEpochs
from tfgan_suite.layers.blocks import Chain, Maker
from tfgan_suite.layers.conventions import GAN_LIB
from tfgan_suite.layers.norms import pixel_norm
from tfgan_suite.layers.passes import Pass
from tfgan_suite.layers.resample import mean_pool, nearest
from tfgan_suite.layers.weights import Gain, Plain, Spectral, power_iteration
from tfgan_suite.metrics.samples import score_bytes
from tfgan_suite.sngan.common import ClassConditional
from tfgan_suite.sngan.gan_lib import networks
from tfgan_suite.sngan.gan_lib.networks import TABLES, Discriminator, Generator, Labels
from tfgan_suite.sngan.gan_lib.system import LOSS_NAMES, SNGAN

MAKE = Maker("", GAN_LIB)
# What `common/ops` can do and no network of the original uses; the suite does not have it.
LEFT_OUT = {"inputs_norm", "mask_type", "conv_type"}
MISC_LOSSES = {"HINGE": "hinge", "WGAN": "wasserstein", "WGAN-GP": "wasserstein", "LSGAN": "least_squares",
               "CGAN": "logistic",
               "Modified_MiniMax": "logistic",
               "MiniMax": "saturating"}  # loss_type of common/misc.py's get_loss


def cases(path, prefix):
    """Case name -> its arrays, of the keys `<prefix><case>/...`."""
    arrays = golden.under(golden.load(path), prefix)
    return {case: golden.under(arrays, f"{case}/")
            for case in dict.fromkeys(name.split("/")[0] for name in arrays)}


def assign(layer, values):
    """Sets a layer's variables from the fixture's names."""
    named = {v.name.split(":")[0]: v for v in layer.variables}
    assert set(values) == set(named)
    for name, value in values.items():
        named[name].assign(value)


@golden.each("sngan", "ops*.npz")
def test_spectral_norm(path):
    for case, arrays in cases(path, "sn/").items():
        matrix = arrays["W"].reshape(-1, arrays["W"].shape[-1])
        for name in {k.split("/")[0] for k in arrays if k.startswith("iters")}:
            iterations, u = int(name[5:]), tf.constant(arrays["u0"])
            for call in range(len(arrays[f"{name}/sigma"])):
                for stop in (False, True):
                    kernel = tf.constant(matrix)
                    with tf.GradientTape() as tape:
                        tape.watch(kernel)
                        sigma, after = power_iteration(kernel, u, iterations, stop)
                        value = tf.reduce_sum(kernel / sigma * arrays["R"].reshape(matrix.shape))
                    gradient = tape.gradient(value, kernel).numpy().reshape(arrays["W"].shape)
                    if call == 0 and not stop:
                        golden.close((kernel / sigma).numpy().reshape(arrays["W"].shape),
                                     arrays[f"{name}/Wbar"], 1e-5, case)
                        golden.gradient_close(gradient, arrays[f"{name}/grad"], 2e-4, case)
                    if call == 0 and iterations == 1:
                        form = arrays["numpy_grad_stopped" if stop else "numpy_grad_full"]
                        golden.gradient_close(gradient, form, 2e-4, f"{case} stop={stop}")
                golden.close(sigma, arrays[f"{name}/sigma"][call],
                             1e-5 * float(np.max(arrays[f"{name}/sigma"])), case)
                golden.close(after, arrays[f"{name}/u_after"][call], 1e-5, case)
                u = after


def linear_cases(path, prefix):
    """(case, arrays, arguments of the maker, maker) of the cases that the suite's vocabulary has."""
    for case, arrays in cases(path, prefix).items():
        config = ast.literal_eval(str(arrays["config"]))
        spectral, gain = config.pop("spectral_normed", False), config.pop("weightnorm", False)
        config.pop("update_collection", None)
        older = any(name.endswith("C/spectral_norm/u") for name in arrays)  # see test_older_names_of_u
        if not (LEFT_OUT & set(config) or spectral and gain or older):
            yield case, arrays, config, MAKE.but(weight=Spectral() if spectral else Gain()
                                                 if gain else Plain())


def layer_matches(layer, arrays, case):
    assign(layer, golden.under(arrays, "var/"))
    golden.close(layer(tf.constant(arrays["x"])), arrays["y"], 1e-5
                 + 1e-4 * float(np.max(np.abs(arrays["y"]))), case)


@golden.each("sngan", "ops*.npz")
def test_convolutions(path):
    for case, arrays, config, make in linear_cases(path, "conv/"):
        names = {"filter_size": "size", "he_init": "he", "biases": "bias"}
        options = {names.get(k, k): v for k, v in config.items()}
        layer_matches(make.conv("C", *arrays["var/C/Filters"].shape[2:], **options), arrays, case)


@golden.each("sngan", "ops*.npz")
def test_linear_layers(path):
    for case, arrays, config, make in linear_cases(path, "linear/"):
        config.pop("initialization", None)  # of the first values, which are assigned here
        layer_matches(make.dense("L", *arrays["var/L/W"].shape, bias=config.get("biases", True)), arrays,
                      case)


@golden.each("sngan", "ops*.npz")
def test_initial_kernels(path):
    for name, row in golden.under(golden.load(path), "init/").items():
        inputs, outputs, size, he_init, deviation, largest = row
        kernel = MAKE.conv("C", int(inputs), int(outputs), int(size), he=bool(he_init)).kernel.numpy()
        limit = np.sqrt(3.0 * (4.0 if he_init else 2.0) / (size**2 * (inputs + outputs)))
        assert abs(np.std(kernel) / deviation - 1) < 6 / np.sqrt(kernel.size), name
        assert np.max(np.abs(kernel)) <= limit and largest <= limit * (1 + 1e-6), name
        assert largest > 0.8 * limit, name


@golden.each("sngan", "ops*.npz")
def test_normalisations(path):
    arrays = golden.load(path)
    x = tf.constant(arrays["cbn/x"])
    classes, channels = arrays["cbn/scale"].shape
    layer = MAKE.norm("N", channels, networks.CONDITIONAL, classes)
    layer.scale.assign(arrays["cbn/scale"])
    layer.offset.assign(arrays["cbn/offset"])
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = layer(x, Pass(True, True, tf.constant(arrays["cbn/labels"])))
        value = tf.reduce_sum(y * arrays["cbn/R"])
    golden.close(y, arrays["cbn/y"], 1e-4, "cbn")
    for name, gradient in zip(("x", "offset", "scale"), tape.gradient(value, [x, layer.offset, layer.scale])):
        golden.gradient_close(gradient, arrays[f"cbn/grad_{name}"], 2e-4, name)
    layer = MAKE.norm("S", arrays["bn/x"].shape[-1], networks.PLAIN)
    norm_matches(arrays, "bn", layer, {"beta": "S/BatchNorm/beta", "gamma": "S/BatchNorm/gamma"})
    named = {v.name.split(":")[0]: v for v in layer.variables}
    for name, value in golden.under(arrays, "bn/after1/").items():
        golden.close(named[name], value, 1e-5, name)
    layer(tf.constant(arrays["bn/x"]), Pass(True, True))
    for name, value in golden.under(arrays, "bn/after2/").items():
        golden.close(named[name], value, 1e-5, name)
    norm_matches(arrays, "ln", MAKE.norm("S", arrays["ln/x"].shape[-1], networks.LAYER),
                 {"beta": "S/LN/beta", "gamma": "S/LN/gamma"})
    golden.close(pixel_norm(tf.constant(arrays["pixelnorm/x"])), arrays["pixelnorm/y"], 1e-4, "pixelnorm")


def norm_matches(arrays, case, layer, names):
    """Output and input gradient of a normalisation with `beta` and `gamma`."""
    layer.offset.assign(arrays[f"{case}/var/{names['beta']}"])
    layer.scale.assign(arrays[f"{case}/var/{names['gamma']}"])
    x = tf.constant(arrays[f"{case}/x"])
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = layer(x, Pass(True, True))
        value = tf.reduce_sum(y * arrays[f"{case}/R"])
    golden.close(y, arrays[f"{case}/y"], 1e-4, case)
    golden.gradient_close(tape.gradient(value, x), arrays[f"{case}/grad_x"], 2e-4, case)


def build_block(case, arrays, classes):
    """The block of a case of blocks.npz, with the sizes of its arrays; None for those that no network uses:
    D's blocks that double the size, G's that keep it, and those without biases."""
    inputs, outputs = arrays["x"].shape[-1], arrays["y"].shape[-1]
    name = next(k for k in arrays if k.startswith("var/"))[4:].split("/")[0]
    grows, spectral = arrays["y"].shape[1] > arrays["x"].shape[1], MAKE.but(weight=Spectral())
    if case == "d_opt":
        return networks.first_block(spectral, "D.Block.1", outputs)
    if case.startswith("d_"):
        down = arrays["y"].shape[1] < arrays["x"].shape[1]
        return None if grows else networks.down_block(spectral, name.rsplit(".", 1)[0], inputs, outputs, down)
    if case.startswith("g_"):
        used = grows and any(k.endswith("/Biases") for k in arrays)
        make = MAKE.but(rule=networks.CONDITIONAL, classes=classes)
        return networks.up_block(make, name.rsplit(".", 1)[0], inputs, outputs) if used else None
    size = arrays[f"var/{name}/Filters"].shape[0]
    conv = MAKE.conv(name, inputs, outputs, size, he=size > 1)
    return {"convmeanpool": Chain(conv, mean_pool), "meanpoolconv": Chain(mean_pool, conv),
            "upsampleconv": Chain(nearest, conv)}[case]


@golden.each("sngan", "blocks*.npz")
def test_blocks(path):
    labels = tf.constant(golden.load(path)["labels"])
    for case, arrays in cases(path, "").items():
        classes = next((v.shape[0] for k, v in arrays.items() if k.endswith("/offset")), 0)
        layer = None if case == "labels" else build_block(case, arrays, classes)
        if layer is None:
            continue
        assign(layer, golden.under(arrays, "var/"))
        x = tf.constant(arrays["x"])
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = layer(x, Pass(labels=labels))
            value = tf.reduce_sum(y * arrays["R"])
        golden.close(y, arrays["y"], 1e-5 + 1e-4 * float(np.max(np.abs(arrays["y"]))), case)
        named = {v.name.split(":")[0]: v for v in layer.trainable_variables}
        gradients = tape.gradient(value, {"x": x, **named})
        golden.gradient_close(gradients.pop("x"), arrays["grad_x"], 2e-4, f"{case} x")
        largest = max(float(np.max(np.abs(g))) for g in golden.under(arrays, "grad/").values())
        for name, expected in golden.under(arrays, "grad/").items():
            allowed = max(2e-4 * float(np.max(np.abs(expected))), 1e-5 * largest)
            golden.close(gradients[name], expected, allowed, f"{case} {name}")


def loss_matches(loss, real, fake, expected, name):
    """Values and gradients of a pair of losses; where the original's naive form overflowed, ours must be
    finite."""
    real, fake = tf.constant(real), tf.constant(fake)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([real, fake])
        d, g = loss.discriminator(real, fake), loss.generator(fake)
    d_real, d_fake = tape.gradient(d, [real, fake], unconnected_gradients="zero")
    g_fake = tape.gradient(g, fake)
    ours = {"disc": d, "gen": g, "disc_grad": tf.concat([d_real, d_fake], 0), "gen_grad": g_fake, "d": d,
            "g": g,
            "d_grad_real": d_real, "d_grad_fake": d_fake, "g_grad_fake": g_fake}
    for key, value in expected.items():
        mine, finite = np.asarray(ours[key]), np.isfinite(value)
        assert np.all(np.isfinite(mine)), f"{name} {key}"
        size = max(1.0, float(np.max(np.abs(value[finite]), initial=0.0)))
        golden.close(mine[finite], value[finite], 1e-5 * size, f"{name} {key}")


@golden.each("sngan", "losses*.npz")
def test_losses(path):
    arrays = golden.load(path)
    for case in {k.split("/")[0] for k in arrays if k.endswith("/disc")}:
        prefix = "extreme_" if case.startswith("extreme_") else ""
        kind, soft = case[len(prefix):].rsplit("_", 1)
        expected = golden.under(arrays, f"{case}/")
        loss_matches(losses.LOSSES[LOSS_NAMES[kind, soft == "1"]], arrays[f"{prefix}real"],
                     arrays[f"{prefix}fake"], expected, case)
    for kind, name in MISC_LOSSES.items():
        loss_matches(losses.LOSSES[name], arrays["real"], arrays["fake"],
                     golden.under(arrays, f"misc/{kind}/"), kind)
    golden.close(losses.saturating_g(tf.constant(arrays["fake"])), arrays["ACGAN/gen"], 1e-5, "ACGAN")


@golden.each("sngan", "losses*.npz")
def test_learning_rates(path):
    arrays = golden.load(path)
    its = tf.constant(arrays["lr/iterations"], tf.int64)
    cifar = np.array([schedules.cifar(i, 0, 100000) for i in its])
    golden.close(cifar, arrays["lr/cifar"] / arrays["lr/cifar"][0], 1e-6, "cifar")
    imagenet = np.array([schedules.imagenet_original(i, 400000, 450000) for i in its])
    golden.close(imagenet, arrays["lr/imagenet"] / arrays["lr/imagenet"][0], 1e-6, "imagenet")


@golden.each("sngan", "images*.npz")
def test_pictures(path):
    system = SNGAN(parameters("sngan", DIM_G=1, DIM_D=1), training=False)
    for case, arrays in cases(path, "").items():
        if "samples" in arrays:
            ours = system.to_uint8(arrays["samples"])
            golden.close(ours.astype(np.int32), arrays["int32"], 0, case)
            golden.close(score_bytes(arrays["samples"]).astype(np.int32), arrays["inception_int32"], 0, case)
            golden.close(pictures.stretched_sheet(arrays["int32"]).astype(int), arrays["png"].astype(int), 1,
                         case)
            plain = pictures.sheet(ours)
            assert plain.shape == arrays["png"].shape and np.array_equal(plain[:4, :4], ours[0][:4, :4])
        elif "X" in arrays:
            golden.close(pictures.stretched_sheet(arrays["X"]).astype(int), arrays["png"].astype(int), 1,
                         case)
        elif case == "crop":
            golden.close(pictures.box_crop(arrays["in"], arrays["bbox"]), arrays["out"], 0, case)
        else:
            for kind in {k.split("/")[0] for k in arrays}:
                side = arrays[f"{kind}/out"].shape[0]
                ours = pictures.stretching_resize(arrays[f"{kind}/in"], side)
                golden.close(ours.astype(int), arrays[f"{kind}/out"].astype(int), 2, f"{case} {kind}")


@golden.each("sngan", "data*.npz")
def test_batches_in_the_originals_order(path):
    arrays = golden.load(path)
    folder = golden.folder("sngan") / "files/cifar_tiny"
    train, test = Cifar10(folder, "train"), Cifar10(folder, "test")
    size, seed = int(arrays["batch"]), int(arrays["numpy_seed"])
    order = ShuffledEpochs(len(train), size, seed)
    for k, (pixels, labels) in enumerate(zip(arrays["train_images"], arrays["train_labels"])):
        rows = order.batch(k)
        assert np.array_equal(train.images(rows).transpose(0, 3, 1, 2).reshape(size, -1), pixels)
        assert np.array_equal(train.labels[rows], labels)
    held = np.arange(len(test))
    order.state.shuffle(held)
    full = len(test) // size * size
    assert np.array_equal(test.labels[held[:full]].reshape(-1, size), arrays["dev_labels"])
    first, noise = (a.reshape(size, 3, 32, 32).transpose(0, 2, 3, 1)
                    for a in (arrays["train_images"][0], arrays["dequant"]))
    scaled = ClassConditional.dequantise(tf.constant(first), tf.constant(noise))
    golden.close(scaled.numpy().reshape(size, -1), arrays["scaled_first_batch"], 1e-6, "scaled")


@pytest.mark.parametrize("network, classes", [("cifar", 10), ("imagenet", 1000)])
def test_variables_of_the_full_size(network, classes):
    path = golden.folder("sngan") / f"files/variables_default_{network}.json"
    if not path.is_file():
        pytest.skip(f"{path} is not there")
    expected = {v["name"]: (tuple(v["shape"]), v["trainable"])
                for v in json.loads(path.read_text())["variables"]
                if not re.fullmatch(r"beta\d_power(_1)?",
                                    v["name"])}  # Adam's, which our optimisers count as steps
    make_g = networks.generator_maker(0, networks.CONDITIONAL, classes)
    make_d = networks.discriminator_maker(0, norm=False)
    ours = {}
    for build in (lambda: Generator(TABLES[network], 128, 128, Labels(classes), make_g),
                  lambda: Discriminator(TABLES[network], 128, Labels(classes, concat=True), make_d)):
        ours.update({v.name.split(":")[0]: (tuple(v.shape), v.trainable) for v in build().variables})
    assert ours == expected
