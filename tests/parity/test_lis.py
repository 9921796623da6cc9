"""LIS networks, losses and optimiser against numbers recorded from aleju/gan-error-avoidance."""
import re

import numpy as np
import pytest
import tensorflow as tf
from golden_files import close, each, gradient_close, load, under
from lis_helpers import (
    cases,
    close_scaled,
    first_words,
    gradients_near,
    modules_of,
    nchw,
    nhwc,
    norm_of,
    numbered,
    sizes_of,
    to_file,
    without_gradient,
)

from tfgan_suite.layers import activations, learned_input
from tfgan_suite.layers.activations import PReLU, TPReLU
from tfgan_suite.layers.blocks import Maker
from tfgan_suite.layers.conventions import TORCH_2017
from tfgan_suite.layers.weights import OutputNorm
from tfgan_suite.lis import losses, networks
from tfgan_suite.optimizers import RMSpropTorch


def fill(layer, parameters):
    """Sets a bare layer's variables from the fixture's short names."""
    for v in layer.variables:
        value = parameters[v.name.split(":")[0].split(".", 1)[1]]
        v.assign(np.transpose(value, np.argsort(TORCH_2017.axes("", value.ndim))).reshape(v.shape))


def make_layer(name, parameters, x, y):
    """The layer of a case of layers.npz: sizes from the arrays, stride and padding from the case's name."""
    make, bias = Maker("", TORCH_2017, 0, OutputNorm("scale" in parameters)), "bias" in parameters
    shape = parameters["weight"].shape
    if name.startswith("linear"):
        return make.dense("x", shape[1], shape[0], bias)
    if "relu" in name:
        return (TPReLU if name.startswith("tp") else PReLU)("x", shape[0], TORCH_2017)
    stride = 2 if "_s2" in name else 1
    if name.startswith("convT"):
        padding = tuple(((n - 1) * stride + k - m) // 2 for n, k,
                        m in zip(x.shape[2:], shape[2:], y.shape[2:]))
        return make.deconv("x", shape[0], shape[1], shape[2:], stride, padding, bias)
    padding = tuple(((m - 1) * stride + k - n + 1) // 2 for n, k,
                    m in zip(x.shape[2:], shape[2:], y.shape[2:]))
    return make.conv("x", shape[1], shape[0], shape[2:], stride, padding, bias)


@each("lis", "layers*.npz")
def test_layers(path):
    arrays = load(path)
    for case in cases(arrays, 1):
        a = under(arrays, case)
        layer = make_layer(case, under(a, "p/"), a["x"], a["y"])
        fill(layer, under(a, "p/"))
        x = tf.constant(nhwc(a["x"]))
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = layer(x)
            loss = tf.reduce_sum(y * nhwc(a["V"]))
        close_scaled(nchw(y), a["y"], 1e-5, case + "y")
        gx, *gradients = tape.gradient(loss, [x, *layer.variables])
        gradients_near(nchw(gx), a["gx"], case + "gx")
        for v, g in zip(layer.variables, gradients):
            key = v.name.split(":")[0].split(".", 1)[1]
            expected = a[f"g/{key}"]
            gradients_near(to_file(g.numpy()).reshape(expected.shape), expected, case + key)
            if "tprelu" in case and key == "weight":
                outside = (a["p/weight"] < 0) | (a["p/weight"] > 1)
                assert not np.any(g.numpy()[outside]), f"{case}: a slope outside [0, 1] moved"
        if "norm" in a:
            close_scaled(layer.weight.norm(layer), a["norm"].reshape(-1), 1e-5, case + "norm")


def network(kind, norm, cfg, modules=2, upscaling="fractional"):
    """The network of a fixture's prefix."""
    width, height, features, levels, code = (int(n) for n in cfg[:5])
    size, make = networks.pyramid(width, height, levels), networks.LisMaker(norm)
    if kind == "GL":
        return networks.GeneratorLIS(size, features, code, make, modules, upscaling)
    if kind == "G":
        return networks.generator(size, features, code, make)
    if kind[0] == "D":
        return networks.discriminator(size, features, make)
    return networks.reverser(size, features, code, make)


def run(net, kind, x, **options):
    """(output as the original's, vectors) of any network."""
    if kind == "GL":
        return net.images_and_vectors(x, **options)
    result = net(x, **options)
    return (activations.sigmoid(result)[:, None] if kind[0] == "D" else result), []


def check_network(net, kind, a, name):
    """Evaluation and training passes, gradients, running statistics. A G-LIS ran as many modules as vectors
    are recorded.
    """
    net.assign(under(a, "p/"))
    x, known = tf.constant(nhwc(a["x"])), numbered(a, "lis")
    options = {"executed": len(known)} if kind == "GL" else {}
    close_scaled(nchw(run(net, kind, x, **options)[0]), a["y_eval"], 1e-5, f"{name} y_eval")
    masks = [tf.constant(nhwc(mask)) for mask in numbered(a, "mask")]
    if masks:
        names = [networks.FINAL] if kind[0] == "D" else [f"level.{i + 1}" for i in range(len(masks))]
        options["masks"] = dict(zip(names, masks))
    with tf.GradientTape() as tape:
        tape.watch(x)
        y, vectors = run(net, kind, x, training=True, **options)
        loss = tf.reduce_sum(y * nhwc(a["V"])) + sum(tf.reduce_sum(v * w) for v,
                                                     w in zip(vectors, numbered(a, "W")))
    close_scaled(nchw(y), a["y_train"], 1e-5, f"{name} y_train")
    for i, vector in enumerate(known):
        close(vectors[i], vector, 1e-4, f"{name} lis{i}")
    close_scaled(loss, a["L"], 1e-4, f"{name} L")
    gx, *gradients = tape.gradient(loss, [x, *net.trainable_variables],
                                   unconnected_gradients=tf.UnconnectedGradients.ZERO)
    gradients_near(nchw(gx), a["gx"], f"{name} gx")
    check_gradients(net, gradients, a, name)
    after = dict(net.arrays())
    for key, value in under(a, "after/").items():
        if not key.endswith("num_batches_tracked"):
            close_scaled(after[key], value, 1e-5, f"{name} after {key}")


def check_gradients(net, gradients, a, name):
    """Every gradient that is recorded; those of modules that did not run may be missing there."""
    expected, dead = under(a, "g/"), without_gradient(under(a, "p/"))
    found = {v.name.split(":")[0]: to_file(g.numpy()) for v, g in zip(net.trainable_variables, gradients)}
    assert set(expected) <= set(found)
    assert {n for n in set(found) - set(expected) if np.any(found[n])} == set()
    for key, gradient in expected.items():
        if key not in dead:
            gradients_near(found[key], gradient, f"{name} {key}")
        if key.endswith("tprelu.weight") or (key.endswith("act.weight")
                                             and norm_of(under(a, "p/")) == "weight"):
            outside = (a[f"p/{key}"] < 0) | (a[f"p/{key}"] > 1)
            assert not np.any(found[key][outside]), f"{name} {key}: a slope outside [0, 1] moved"


@each("lis", "nets*.npz")
def test_networks(path):
    arrays = load(path)
    upscalings = [case for case in cases(arrays, 2) if case.split("/")[0] in networks.UPSAMPLE]
    assert upscalings or "cfg_w_h_nfeature_nlayer_code" in arrays
    for case in upscalings:
        check_upscaling(case, under(arrays, case))
    if (
        "padded_size_requested_hw" in arrays
    ):  # recorded with the original's defect; ours gives the requested size
        height, width = (int(n) for n in arrays["padded_size_requested_hw"])
        for upscaling in ("nearest", "bilinear"):
            net = network("GL", "weight", (width, height, 4, 3, 6), 1, upscaling)
            assert net(np.zeros((1, 6), np.float32)).shape == (1, height, width, 3)
    for prefix in [] if upscalings else cases(arrays, 1):
        a, kind = under(arrays, prefix), re.match("GL|G|D|R", prefix)[0]
        parameters = under(a, "p/")
        modules, norm = modules_of(parameters), norm_of(parameters)
        net = network(kind, norm, arrays["cfg_w_h_nfeature_nlayer_code"], modules)
        assert list(net.shapes()) and set(net.shapes()) == set(parameters)
        check_network(net, kind, a, f"{norm} {prefix}")
        for key in [k for k in a if re.fullmatch(r"exec\w+_y", k)]:
            check_executed(net, modules, a, key)


def check_upscaling(case, a):
    """A G-LIS with the upscaling and the norm of the case's name."""
    upscaling, norm = case.split("/")[:2]
    parameters = under(a, "p/")
    sizes = sizes_of("GL", {n: v.shape for n, v in parameters.items()}, a["y_eval"].shape[2:])
    check_network(network("GL", norm, sizes, modules_of(parameters), upscaling), "GL", a, case)


def check_executed(net, modules, a, key):
    """A pass in evaluation mode with a given number of modules."""
    wanted = key[len("exec"):-len("_y")]
    chances = learned_input.stop_chances(modules, False, int(wanted) if wanted.isdigit() else wanted)
    count = learned_input.count_executed(np.full(modules, 0.5), chances)
    assert int(count) == int(a[f"exec{wanted}_count"])
    net.assign(under(a, "p/"))
    close_scaled(nchw(net(a["x"], executed=count)), a[key], 1e-5, key)


@each("lis", "losses*.npz")
def test_losses(path):
    a = load(path)
    for kind in ("bce", "ls"):
        for target in ("ones", "zeros"):
            x, logits = tf.constant(a["x"]), tf.constant(a["logits"])
            with tf.GradientTape(persistent=True) as tape:
                tape.watch([x, logits])
                loss = losses.adversarial(x, target == "ones", kind == "ls")
                through = losses.adversarial(activations.sigmoid(logits), target == "ones", kind == "ls")
            close(loss, a[f"{kind}_{target}"], 1e-5, kind)
            close(through, a[f"{kind}_{target}_logit_loss"], 1e-5, kind)
            gradient_close(tape.gradient(loss, x), a[f"{kind}_{target}_grad_x"], name=f"{kind} {target}")
            gradient_close(tape.gradient(through, logits), a[f"{kind}_{target}_logit_grad"],
                           name=f"{kind} {target} logits")
    vectors = [tf.constant(v) for v in numbered(a, "lis")]
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(vectors)
        terms = losses.similarity(vectors, tf.constant(a["z"]), float(a["lambda_r"]))
        parts = tf.unstack(terms)
    for i, v in enumerate(vectors):
        close(terms[i], a[f"loss_r{i}"], 1e-5, f"loss_r{i}")
        gradient_close(tape.gradient(parts[i], v), a[f"grad_lis{i}"], name=f"grad_lis{i}")


@each("lis", "losses*.npz")
def test_rmsprop_epsilon_and_zero_gradients(path):
    a = load(path)
    rate, alpha, epsilon = (float(n) for n in a["rms_lr_alpha_eps"])
    optimizer, p = RMSpropTorch(rate, alpha, epsilon), tf.Variable(a["rms_p0"])
    optimizer.build([p])
    for i, gradient in enumerate(a["rms_grads"], 1):
        optimizer.apply_gradients([(tf.constant(gradient), p)])
        close(p, a[f"rms_p{i}"], 0.05 * rate * i, f"p{i}")
        np.testing.assert_allclose(optimizer.slot("square_avg", p).numpy(), a[f"rms_v{i}"], rtol=1e-3)


@each("lis", "losses*.npz")
def test_how_many_modules_run(path):
    for modules, train, wanted, u, count in load(path)["lis_exec_rows_n_train_nexec_u_count"]:
        executed = None if wanted == -1 else "all" if wanted == 99 else int(wanted)
        chances = learned_input.stop_chances(int(modules), bool(train), executed)
        found = learned_input.count_executed(np.full(int(modules), u), chances)
        assert int(found) == int(count), (modules, train, wanted, u)


@each("lis", "init*.npz")
@pytest.mark.parametrize("norm", ["none", "batch", "weight", "weight-affine"])
def test_initial_weights(path, norm):
    """Names, shapes and distributions of the networks of a command line (from the recorded shapes)."""
    arrays = under(load(path), norm + "/")
    if not arrays:
        pytest.skip(f"{path.name} has no {norm}")
    for kind in first_words(arrays):
        a = under(arrays, kind + "/")
        names = [str(n) for n in a["names"]]
        shapes = {n: tuple(int(k) for k in str(s).split(",") if k) for n, s in zip(names, a["shapes"])}
        net = network(kind, norm, sizes_of(kind, shapes), modules_of(names))
        assert net.shapes() == shapes, f"{norm} {kind}"
        assert net.parameter_count() == int(a["n_params"])
        trainable = {v.name.split(":")[0] for v in net.trainable_variables}
        assert trainable == set(map(str, a["param_order"])) == {n for n,
                                                                is_one in zip(names, a["is_trainable"])
                                                                if is_one}
        for name, value in net.arrays():
            low, high, spread = (float(a[what][names.index(name)]) for what in ("min", "max", "std"))
            check_distribution(value, low, high, spread, f"{norm} {kind} {name}")


def check_distribution(value, low, high, spread, name):
    """Constants are equal; of many random numbers the spread and the largest one are near, of few all are of
    that order.
    """
    if low == high and (value.size > 1 or low == round(low, 2)):
        np.testing.assert_array_equal(value, np.full_like(value, low), name)
        return
    largest = max(abs(low), abs(high))
    assert value.std() > 0 or value.size == 1, name
    if value.size > 1000:
        close(value.std(), spread, 0.1 * spread, name)
        close(np.abs(value).max(), largest, 0.02 * largest, name)
