"""LIS networks, losses and optimiser against numbers recorded from aleju/gan-error-avoidance."""
import numpy as np
import pytest
import tensorflow as tf
from golden_files import close, each, gradient_close, load, under

from tfgan_suite.lis import layers, losses, networks
from tfgan_suite.optimizers import RMSpropTorch

NORMS = ("none", "batch", "weight", "weight-affine")


def nhwc(x):
    """The fixtures' NCHW as NHWC; other ranks unchanged."""
    return np.transpose(x, (0, 2, 3, 1)) if x.ndim == 4 else x


def nchw(x):
    """The reverse of `nhwc`."""
    x = np.asarray(x)
    return np.transpose(x, (0, 3, 1, 2)) if x.ndim == 4 else x


def cases(arrays, depth):
    """The distinct prefixes of `depth` levels."""
    return sorted({"/".join(name.split("/")[:depth]) + "/" for name in arrays if name.count("/") > depth})


def without_gradient(names):
    """Biases that feed a batch norm directly: mathematically their gradient is zero."""
    names, buffers = list(names), [n for n in names if n.endswith("running_mean")]
    dead = set()
    for buffer in buffers:
        first = names.index(buffer.replace("running_mean", "weight"))
        if first and names[first - 1].endswith(".bias"):
            dead.add(names[first - 1])
    return dead


def fill(layer, parameters):
    """Sets a bare layer's variables from the fixture's short names."""
    for v in layer.variables:
        value = parameters[v.name.split(":")[0].split(".", 1)[1]]
        v.assign(networks.from_file(value).reshape(v.shape))


def make_layer(name, parameters, x, y):
    """The layer of a case of layers.npz: sizes from the arrays, stride and padding from the case's name."""
    style = layers.Style(normalise=True, scale="scale" in parameters, bias="bias" in parameters)
    shape = parameters["weight"].shape
    if name.startswith("linear"):
        return layers.Linear("x", shape[1], shape[0], style)
    if "relu" in name:
        return (layers.TPReLU if name.startswith("tp") else layers.PReLU)("x", shape[0])
    stride = 2 if "_s2" in name else 1
    if name.startswith("convT"):
        padding = [((n - 1) * stride + k - m) // 2 for n, k, m in zip(x.shape[2:], shape[2:], y.shape[2:])]
        return layers.TransposedConv("x", shape[0], shape[1], shape[2:], stride, padding, style)
    padding = [((m - 1) * stride + k - n + 1) // 2 for n, k, m in zip(x.shape[2:], shape[2:], y.shape[2:])]
    return layers.Conv("x", shape[1], shape[0], shape[2:], stride, padding, style)


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
        close(nchw(y), a["y"], 1e-5 * max(1.0, np.abs(a["y"]).max()), case + "y")
        gx, *gradients = tape.gradient(loss, [x, *layer.variables])
        gradient_close(nchw(gx), a["gx"], name=case + "gx")
        for v, g in zip(layer.variables, gradients):
            key = v.name.split(":")[0].split(".", 1)[1]
            expected = a[f"g/{key}"]
            gradient_close(networks.to_file(g.numpy()).reshape(expected.shape), expected, name=case + key)
            if "tprelu" in case and key == "weight":
                outside = (a["p/weight"] < 0) | (a["p/weight"] > 1)
                assert not np.any(g.numpy()[outside]), f"{case}: a slope outside [0, 1] moved"
        if "norm" in a:
            close(layer.norm(), a["norm"].reshape(-1), 1e-5, case + "norm")


def network(kind, norm, cfg, modules=2, upscaling="fractional"):
    """The network of a fixture's prefix."""
    width, height, features, levels, code = (int(n) for n in cfg[:5])
    size, make = networks.pyramid(width, height, levels), networks.Maker(norm)
    if kind == "GL":
        return networks.GeneratorLIS(size, features, code, make, modules, upscaling)
    if kind == "G":
        return networks.Generator(size, features, code, make)
    return networks.Discriminator(size, features, make) if kind[0] == "D" else networks.Reverser(size, features, code, make)


def run(net, kind, x, **options):
    """(output, vectors) of any network."""
    result = net(x, **options)
    return result if kind == "GL" else (result, [])


def check_network(net, kind, a, name, executed=None):
    """Evaluation and training passes, gradients, running statistics."""
    net.assign(under(a, "p/"))
    x = tf.constant(nhwc(a["x"]))
    options = {"executed": executed} if kind == "GL" else {}
    close(nchw(run(net, kind, x, **options)[0]), a["y_eval"], 1e-5, f"{name} y_eval")
    masks = [tf.constant(nhwc(a[f"mask{i}"])) for i in range(len(under(a, "mask")))]
    if masks:
        options["dropout"] = masks[0] if kind[0] == "D" else masks
    with tf.GradientTape() as tape:
        tape.watch(x)
        y, vectors = run(net, kind, x, training=True, **options)
        loss = tf.reduce_sum(y * nhwc(a["V"])) + sum(tf.reduce_sum(v * a[f"W{i}"]) for i, v in enumerate(vectors))
    close(nchw(y), a["y_train"], 1e-5, f"{name} y_train")
    for i, v in enumerate(vectors):
        close(v, a[f"lis{i}"], 1e-4, f"{name} lis{i}")
    close(loss, a["L"], 1e-4 * max(1.0, abs(float(a["L"]))), f"{name} L")
    gx, *gradients = tape.gradient(loss, [x, *net.trainable_variables])
    gradient_close(nchw(gx), a["gx"], name=f"{name} gx")
    expected, dead = under(a, "g/"), without_gradient(under(a, "p/"))
    assert {v.name.split(":")[0] for v in net.trainable_variables} == set(expected)
    for v, g in zip(net.trainable_variables, gradients):
        key = v.name.split(":")[0]
        if key not in dead:
            close(networks.to_file(g.numpy()), expected[key], 1e-4 * np.abs(expected[key]).max() + 1e-6, f"{name} {key}")
    after = dict(net.arrays())
    for key, value in under(a, "after/").items():
        close(after[key], value, 1e-5, f"{name} after {key}")


@each("lis", "nets_[!u]*.npz")
def test_networks(path):
    arrays, norm = load(path), path.stem.split("_", 1)[1].replace("_", "-")
    for kind in cases(arrays, 1):
        a, kind = under(arrays, kind), kind[:-1]
        modules = len({n.split(".")[1] for n in under(a, "p/") if n.startswith("lis_layers")})
        net = network(kind, norm, arrays["cfg_w_h_nfeature_nlayer_code"], modules)
        assert list(net.shapes()) and set(net.shapes()) == set(under(a, "p/"))
        check_network(net, kind, a, f"{norm} {kind}")
        if kind == "GL":
            net.assign(under(a, "p/"))
            for key in [k for k in a if k.startswith("exec") and k.endswith("_y")]:
                wanted = int(key[len("exec"):-len("_y")])
                count = networks.count_executed(np.full(modules, 0.5), networks.stop_chances(modules, False, wanted))
                assert int(count) == int(a[f"exec{wanted}_count"])
                close(nchw(net(a["x"], executed=count)[0]), a[key], 1e-5, key)


@each("lis", "nets_upscaling*.npz")
def test_upscaling(path):
    arrays = load(path)
    for case in cases({k: 0 for k in arrays if k.count("/") > 1}, 2):
        upscaling, norm = case.split("/")[:2]
        a = under(arrays, case)
        code, parameters = a["x"].shape[1], under(a, "p/")
        height, width = a["y_eval"].shape[2:]
        kernels = [n for n in parameters if n.startswith("conv_layers") and n.endswith("weight") and parameters[n].ndim == 4]
        last, levels = max(kernels, key=lambda n: int(n.split(".")[1])), len(kernels)
        modules = len({n.split(".")[1] for n in parameters if n.startswith("lis_layers")})
        net = network("GL", norm, (width, height, parameters[last].shape[0], levels, code), modules, upscaling)
        check_network(net, "GL", a, case)
    if "padded_size_requested_hw" in arrays:  # recorded with the original's defect Q17; ours gives the requested size
        height, width = (int(n) for n in arrays["padded_size_requested_hw"])
        for upscaling in ("nearest", "bilinear"):
            net = network("GL", "weight", (width, height, 4, 3, 6), 1, upscaling)
            assert net(np.zeros((1, 6), np.float32))[0].shape == (1, height, width, 3)


@each("lis", "losses_optim_exec*.npz")
def test_losses(path):
    a = load(path)
    for kind in ("bce", "ls"):
        for target in ("ones", "zeros"):
            x, logits = tf.constant(a["x"]), tf.constant(a["logits"])
            with tf.GradientTape(persistent=True) as tape:
                tape.watch([x, logits])
                loss = losses.adversarial(x, target == "ones", kind == "ls")
                through = losses.adversarial(layers.sigmoid(logits), target == "ones", kind == "ls")
            close(loss, a[f"{kind}_{target}"], 1e-5, kind)
            close(through, a[f"{kind}_{target}_logit_loss"], 1e-5, kind)
            gradient_close(tape.gradient(loss, x), a[f"{kind}_{target}_grad_x"], name=f"{kind} {target}")
            gradient_close(tape.gradient(through, logits), a[f"{kind}_{target}_logit_grad"], name=f"{kind} {target} logits")
    vectors = [tf.constant(a[f"lis{i}"]) for i in range(len(under(a, "lis")) - 1) if f"lis{i}" in a]
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(vectors)
        terms = losses.similarity(vectors, tf.constant(a["z"]), float(a["lambda_r"]))
        parts = tf.unstack(terms)
    for i, v in enumerate(vectors):
        close(terms[i], a[f"loss_r{i}"], 1e-5, f"loss_r{i}")
        gradient_close(tape.gradient(parts[i], v), a[f"grad_lis{i}"], name=f"grad_lis{i}")


@each("lis", "losses_optim_exec*.npz")
def test_rmsprop_epsilon_and_zero_gradients(path):
    a = load(path)
    rate, alpha, epsilon = (float(n) for n in a["rms_lr_alpha_eps"])
    optimizer, p = RMSpropTorch(rate, alpha, epsilon), tf.Variable(a["rms_p0"])
    optimizer.build([p])
    for i, gradient in enumerate(a["rms_grads"], 1):
        optimizer.apply_gradients([(tf.constant(gradient), p)])
        close(p, a[f"rms_p{i}"], 0.05 * rate * i, f"p{i}")
        np.testing.assert_allclose(optimizer.slot("square_avg", p).numpy(), a[f"rms_v{i}"], rtol=1e-3)


@each("lis", "losses_optim_exec*.npz")
def test_how_many_modules_run(path):
    for modules, train, wanted, u, count in load(path)["lis_exec_rows_n_train_nexec_u_count"]:
        executed = None if wanted == -1 else "all" if wanted == 99 else int(wanted)
        chances = networks.stop_chances(int(modules), bool(train), executed)
        assert int(networks.count_executed(np.full(int(modules), u), chances)) == int(count), (modules, train, wanted, u)


@each("lis", "init_table*.npz")
@pytest.mark.parametrize("norm", NORMS)
def test_initial_weights(path, norm):
    """Names, shapes and distributions of a README configuration (from the recorded shapes)."""
    arrays = under(load(path), norm + "/")
    if not arrays:
        pytest.skip(f"{path} has no {norm}")
    for kind in ("G", "GL", "D", "R"):
        a = under(arrays, kind + "/")
        net = network(kind, norm, readme_sizes(kind, a), 3)
        shapes = net.shapes()
        assert set(shapes) == set(a["names"]), kind
        assert net.parameter_count() == int(a["n_params"])
        trainable = {v.name.split(":")[0] for v in net.trainable_variables}
        values = dict(net.arrays())
        for i, name in enumerate(a["names"]):
            value = values[name]
            assert ",".join(map(str, value.shape)) == a["shapes"][i], name
            assert (name in trainable) == bool(a["is_trainable"][i]), name
            largest = max(abs(float(a["min"][i])), abs(float(a["max"][i])))
            assert (np.abs(value).max() == 0) == (largest == 0), name
            if value.size > 1000:
                close(value.std(), a["std"][i], 0.1 * a["std"][i], name)
                close(np.abs(value).max(), largest, 0.02 * largest, name)


def readme_sizes(kind, a):
    """(width, height, features, levels, code) from the recorded shapes."""
    shapes = {n: [int(k) for k in s.split(",")] for n, s in zip(a["names"], a["shapes"])}
    convs = [s for n, s in shapes.items() if len(s) == 4 and max(s[2:]) == 4 and "final" not in n and min(s[:2]) >= 3
             and not (s[0] == 1 or s[1] == 1)]
    levels = len(convs)
    if kind in ("D", "R"):
        height, width = (n * 2 ** levels for n in shapes["final.conv.weight"][2:])
        return width, height, min(s[0] for s in convs), levels, shapes["final.conv.weight"][0]
    linear = next(s for n, s in shapes.items() if n.startswith("initial") and len(s) == 2 and s[0] > s[1])
    channels = max(s[0] for s in convs)
    side = int(round((linear[0] / channels) ** 0.5)) * 2 ** levels
    return side, side, min(s[0] for s in convs), levels, linear[1]
