"""The stacked bank of discriminators against its plain twin, one network after the other."""
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.eager import context

from tfgan_suite import losses, optimizers
from tfgan_suite.layers.projections import Filters, Projected
from tfgan_suite.rpgan import filters, networks
from tfgan_suite.rpgan.bank import Discriminators


def projections(*groups):
    """Filters of several shapes, numbered on."""
    found, count = [], 0
    for group in groups:
        arrays = filters.make([group], count)
        k = int(arrays["nfilt"])
        values = np.stack([arrays[f"p{i}"] for i in range(k)])
        found.append(Filters(values, int(arrays["s0"]), tuple(range(count, count + k))))
        count += k
    return found


def images(side, seed=0):
    draw = np.random.default_rng(seed)
    return [tf.constant(draw.uniform(-1, 1, (3, side, side, 3)).astype(np.float32)) for _ in range(2)]


@pytest.mark.parametrize("chunk", [0, 1, 3])
@pytest.mark.parametrize("groups", [("4,2,1,3",), ("8,2,1,3",), ("4,2,2,3", "5,1,1,3")], ids=str)
def test_stacked_and_plain_are_one(groups, chunk):
    """The same weights give the same logits, the same gradients of every loss, and the same image
    gradient."""
    given, side = projections(*groups), 16
    bank = Discriminators(side, 4, given, chunk=chunk)
    stride = {number: group.stride for group in given for number in group.numbers}
    plain = Projected(given, lambda i,
                      channels: networks.discriminator(f"c{i}_", side // stride[i], channels, 4))
    draw = np.random.default_rng(1)
    arrays = {name: draw.normal(0, 0.3, shape).astype(np.float32) for name, shape in bank.shapes().items()}
    assert set(plain.shapes()) == set(arrays)
    bank.assign(arrays)
    plain.assign(arrays)
    real, fake = images(side)
    np.testing.assert_allclose(tf.squeeze(bank(real), [2, 3, 4]), plain(real), rtol=1e-4, atol=1e-6)
    logistic = losses.LOSSES["logistic"]
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(fake)
        on_real, on_fake = (tf.unstack(plain(x)) for x in (real, fake))
        d_losses = [logistic.discriminator(r, f) / 2 for r, f in zip(on_real, on_fake)]
        total, g_loss = tf.add_n(d_losses), tf.add_n([logistic.generator(f) for f in on_fake]) / bank.count
    found, gradients, shown = bank.losses(real, fake)
    assert shown == {}
    np.testing.assert_allclose(found, d_losses, rtol=1e-5)
    by_variable = {v.ref(): g for v, g in zip(bank.trainable_variables, gradients)}
    rows, named = bank.rows(), plain.named()
    for name, gradient in zip(named, tape.gradient(total, list(named.values()))):
        part, row = rows[name]
        np.testing.assert_allclose(by_variable[part.variable.ref()][row], gradient, rtol=1e-4, atol=2e-6,
                                   err_msg=name)
    g_losses, image_gradient = bank.generator_losses(fake)
    np.testing.assert_allclose(tf.reduce_mean(g_losses), g_loss, rtol=1e-5)
    np.testing.assert_allclose(image_gradient, tape.gradient(g_loss, fake), rtol=1e-4, atol=1e-7)


def test_arrays_come_back_in_the_order_of_the_numbers():
    """Interleaved shapes: discriminators keep their numbers in the file, whichever stack they are in."""
    a, b = projections("4,2,2,2", "4,2,1,2")
    mixed = [Filters(a.values, a.stride, (0, 2)), Filters(b.values, b.stride, (1, 3))]
    bank = Discriminators(16, 4, mixed, seed=5)
    saved = dict(bank.arrays())
    assert [name for name in saved if name.endswith("_0_b")] == [f"c{i}_0_b" for i in range(4)]
    assert [saved[f"c{i}_0_w"].shape[2] for i in range(4)] == [2, 1, 2, 1]
    other = Discriminators(16, 4, mixed, seed=6)
    other.assign({name: saved[name] for name in saved if name.startswith("c2_")})
    for name, array in other.arrays():
        assert np.array_equal(array, saved[name]) == (name.startswith("c2_") or name.endswith("_b")), name


def step_of(bank, optimizer):
    """One traced step of all discriminators."""
    return tf.function(lambda real, fake: bank.step(real, fake, optimizer)[0], autograph=False)


def built(groups, seed=0, **options):
    """A bank and its optimiser."""
    bank = Discriminators(16, 4, projections(*groups), seed, **options)
    optimizer = optimizers.adam(2e-3, 0.5, 0.999)
    optimizer.build(bank.trainable_variables)
    return bank, optimizer


@pytest.mark.parametrize("groups", [("4,2,1,3",), ("4,2,1,3", "5,1,2,1")], ids=str)
def test_steps_inside_the_loop_are_the_whole_step(groups):
    """Every discriminator's own step, made at once, against Keras' Adam on all gradients together."""
    (one, at_once), (other, together) = built(groups, chunk=1), built(groups, chunk=1)
    step = step_of(one, at_once)
    for i in range(3):
        real, fake = images(16, i)
        losses = step(real, fake)
        expected, gradients, _ = other.losses(real, fake)
        optimizers.apply(together, gradients, other.trainable_variables)
        np.testing.assert_allclose(losses, expected, rtol=1e-5)
    assert int(at_once.iterations) == int(together.iterations) == 3
    for a, b in zip([*one.trainable_variables, *at_once.variables],
                    [*other.trainable_variables, *together.variables]):
        np.testing.assert_allclose(a, b, rtol=2e-5, atol=2e-6, err_msg=a.name)


def whole_reads(function, shapes, *arguments):
    """Reads of whole variables of these shapes in a traced function, those of its loops included."""
    graph = function.get_concrete_function(*arguments).graph.as_graph_def(add_shapes=True)
    nodes = [*graph.node, *(node for part in graph.library.function for node in part.node_def)]
    found = [node for node in nodes if node.op in ("ReadVariableOp", "ResourceGather")]
    assert any(node.op == "ResourceGather" for node in found)
    sizes = [tuple(d.size for d in shape.dim) for node in found if node.op == "ReadVariableOp"
             for shape in node.attr["_output_shapes"].list.shape]
    return [size for size in sizes if size in shapes]


def test_a_loaded_bank_steps_like_a_fresh_one():
    """No step reads a whole stack: after rows have been assigned, TensorFlow copies a variable at every such
    read."""
    (fresh, first), (loaded, second) = built(("4,2,1,3",), chunk=1), built(("4,2,1,3",), 1, chunk=1)
    loaded.assign(dict(fresh.arrays()))
    real, fake = images(16)
    shapes = {tuple(v.shape) for v in fresh.trainable_variables}
    steps = [step_of(bank, optimizer) for bank, optimizer in ((fresh, first), (loaded, second))]
    for _ in range(2):
        assert np.array_equal(*(step(real, fake) for step in steps))
    assert [whole_reads(step, shapes, real, fake) for step in steps] == [[], []]
    say = tf.function(loaded.generator_losses, autograph=False)
    assert whole_reads(say, shapes, fake) == []


def shares_memory(variable):
    """Whether two reads of the variable give the same memory."""
    reads = [tf.raw_ops.ReadVariableOp(resource=variable.handle, dtype=variable.dtype) for _ in range(2)]
    return len({np.asarray(memoryview(read)).__array_interface__["data"][0] for read in reads}) == 1


def test_loading_leaves_variables_as_they_were():
    """Of a stack that is computed at once: reads after a load copy nothing; a slice's assignment would end
    that."""
    bank, _ = built(("4,2,1,3",))
    bank.assign(dict(bank.arrays()))
    bank.assign({name: array for name, array in bank.arrays() if name.startswith("c1_")})
    assert all(shares_memory(variable) for variable in bank.trainable_variables)
    marked = bank.trainable_variables[0]
    marked[0].assign(marked[0])
    assert not shares_memory(marked)


def products(function, *arguments):
    """Matrix products in a function's graph as it runs, once TensorFlow has put equal operations together."""
    context.enable_run_metadata()
    try:
        function(*arguments)
        graphs = context.export_run_metadata().function_graphs
    finally:
        context.disable_run_metadata()
    nodes = [node for graph in graphs for node in graph.post_optimization_graph.node]
    return sum("MatMul" in node.op for node in nodes)


def test_both_steps_share_the_matrices_of_one_reading():
    """Stacks that are computed at once: a matrix of each layer is made once for both steps."""
    bank, _ = built(("4,2,1,3",))
    real, fake = images(16)

    def both(read):
        @tf.function(autograph=False)
        def steps(real, fake):
            weights = read()
            said = bank.generator_losses(fake, weights)
            return said, bank.losses(real, fake, read=weights)[:2]
        return steps

    shared, apart = both(bank.read), both(lambda: None)
    assert products(apart, real, fake) - products(shared, real, fake) == len(bank.stacks[0].table)
    for a, b in zip(tf.nest.flatten(shared(real, fake)), tf.nest.flatten(apart(real, fake))):
        assert np.array_equal(a, b)
