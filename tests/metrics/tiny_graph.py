"""A small frozen graph with the tensor names, the batch axis of 1 and the old operations of the 2015
Inception graph."""
import numpy as np
import tensorflow as tf

from tfgan_suite.metrics import cache
from tfgan_suite.metrics.graph_file import GraphFile

v1 = tf.compat.v1
SIDE = 12


def weights(seed: int = 0, width: int = 6, classes: int = 1008) -> dict:
    generator = np.random.default_rng(seed)
    return {"conv": generator.normal(0, 0.3, [3, 3, 3, width]).astype(np.float32),
            "mean": generator.normal(0, 0.1, [width]).astype(np.float32),
            "variance": generator.uniform(0.5, 1.5, [width]).astype(np.float32),
            "beta": generator.normal(0, 0.1, [width]).astype(np.float32),
            "gamma": generator.uniform(0.5, 1.5, [width]).astype(np.float32),
            "softmax": generator.normal(0, 2.0, [width, classes]).astype(np.float32),
            "bias": generator.normal(0, 1.0, [classes]).astype(np.float32)}


def definition(w: dict, leave_out: str = ""):
    """The graph of one image, as the 2015 file has it: DecodeJpeg -> Cast -> ExpandDims -> ... -> softmax."""
    with tf.Graph().as_default() as graph:
        contents = v1.placeholder(tf.string, [], name="DecodeJpeg/contents")
        image = tf.io.decode_jpeg(contents, channels=3, name="DecodeJpeg")
        batch = tf.expand_dims(tf.cast(image, tf.float32, name="Cast"), 0, name="ExpandDims")
        small = tf.raw_ops.ResizeBilinear(images=batch, size=[SIDE, SIDE], name="ResizeBilinear")
        scaled = tf.multiply(tf.subtract(small, 128.0, name="Sub"), 1 / 128,
                             name="Mul" if leave_out != "Mul" else "scaled")
        x = tf.nn.conv2d(scaled, w["conv"], 2, "SAME", name="conv")
        # The operation of 2015, which today's TensorFlow takes only from graphs of that age.
        x = tf.add(x, 0.0, name="conv/batchnorm_placeholder")
        x = tf.nn.relu(x, name="conv/relu")
        pool = tf.reduce_mean(x, [1, 2], keepdims=True, name="pool_3" if leave_out != "pool_3" else "pool")
        flat = tf.reshape(pool, [1, w["softmax"].shape[0]], name="pool_3/_reshape")
        product = tf.matmul(flat, w["softmax"], name="softmax/logits/MatMul")
        if leave_out == "bias":
            logits = tf.identity(product, name="softmax/logits")
        else:
            logits = tf.add(product, w["bias"], name="softmax/logits")
        tf.nn.softmax(logits, name="softmax")
        result = graph.as_graph_def(add_shapes=True)
    return age(result, w)


def age(graph_def, w: dict):
    """Puts BatchNormWithGlobalNormalization in place of its placeholder and sets the version to one that has
    it."""
    node = next(n for n in graph_def.node if n.name == "conv/batchnorm_placeholder")
    source = node.input[0]
    node.Clear()
    node.name, node.op = "conv/batchnorm_placeholder", "BatchNormWithGlobalNormalization"
    node.input.append(source)
    for name in ("mean", "variance", "beta", "gamma"):
        constant = graph_def.node.add()
        constant.name, constant.op = f"conv/{name}", "Const"
        constant.attr["dtype"].type = tf.float32.as_datatype_enum
        constant.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(w[name]))
        node.input.append(constant.name)
    node.attr["T"].type = tf.float32.as_datatype_enum
    node.attr["variance_epsilon"].f = 0.001
    node.attr["scale_after_normalization"].b = True
    graph_def.versions.producer = 8
    return graph_def


def write(path, seed: int = 0, leave_out: str = "") -> GraphFile:
    """Writes the graph and returns it as a checked file."""
    path.write_bytes(definition(weights(seed), leave_out).SerializeToString())
    return GraphFile(path, cache.sha256(path))


def expected(pictures: np.ndarray, w: dict) -> tuple[np.ndarray, np.ndarray]:
    """Features and unbiased logits, from the formulas."""
    x = tf.raw_ops.ResizeBilinear(images=pictures.astype(np.float32), size=[SIDE, SIDE])
    x = tf.nn.conv2d((x - 128.0) / 128.0, w["conv"], 2, "SAME").numpy()
    x = (x - w["mean"]) / np.sqrt(w["variance"] + 0.001) * w["gamma"] + w["beta"]
    pool = np.maximum(x, 0).mean(axis=(1, 2))
    return pool, pool @ w["softmax"]
