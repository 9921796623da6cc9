"""The 2015 Inception graph, fed as the originals feed it (openai/improved-gan and tf.contrib.gan)."""
from __future__ import annotations

import numpy as np
import tensorflow as tf

from tfgan_suite.errors import UserError, reading
from tfgan_suite.metrics.graph_file import GraphFile

SIDE = 299
CLASSES_NEW = 1000
_V1 = tf.compat.v1


class Inception:
    """The frozen graph in a session of its own; it touches neither eager state nor the default graph.

    Batches may be of any size: the batch axis of 1 that the graph was frozen with is made free, and the
        results of an image
    do not depend on the others in its batch.

    Args:
        file: a checked graph file: the 2015 graph, or for `new_logits` tf.contrib.gan's form of it.

    Raises:
        UserError: no graph, or one that lacks the tensors.
    """

    def __init__(self, file: GraphFile):
        self.file = file
        self._definition = _read(file)
        self._graph = tf.Graph()
        self._session = _V1.Session(graph=self._graph)
        self._runs: dict = {}

    def judge(self, pictures: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The features of FID and KID, and the logits of the original Inception Score.

        The graph resizes to 299x299 (TensorFlow 1's bilinear) and maps to (x - 128) / 128. Logits are pool_3
        times the weights of the softmax without its bias, over all 1008 classes.

        Args:
            pictures: uint8 [b, H, W, 3].

        Returns:
            pool_3 float32 [b, 2048], logits float32 [b, 1008].
        """
        return self._run("old", self._build_old, np.asarray(pictures, np.float32))

    def new_logits(self, pictures: np.ndarray) -> np.ndarray:
        """The logits of tf.contrib.gan's Inception Score.

        Images are mapped to 2 (x / 255 - 1/2), resized to 299x299 (TensorFlow 1's bilinear) and fed behind
        the graph's own scaling. Of the 1008 logits, with bias, the first 1000 count.

        Args:
            pictures: uint8 [b, H, W, 3], or float in [-1, 1].

        Returns:
            float32 [b, 1000].
        """
        x = np.asarray(pictures)
        if x.dtype == np.uint8:
            x = 2 * (x.astype(np.float32) / np.float32(255) - np.float32(0.5))
        return self._run("new", self._build_new, x.astype(np.float32))[0]

    def _run(self, name: str, build, feed: np.ndarray) -> list:
        with reading(self.file.path, "does not compute as the 2015 Inception graph",
                     "put the right file there"):
            if name not in self._runs:
                with self._graph.as_default():
                    self._runs[name] = build(name)
            placeholder, outputs = self._runs[name]
            return self._session.run(outputs, {placeholder: feed})

    def _import(self, prefix: str, start: str, given, wanted: list[str]) -> list:
        """The tensors `wanted` with the tensor `start` replaced by `given`."""
        missing = [tensor for tensor in (start, *wanted) if not self.has(tensor)]
        if missing:
            raise UserError(f"{self.file.path}: lacks the tensor '{missing[0]}'; it is not the 2015 "
                            f"Inception graph")
        with reading(self.file.path, "is not the 2015 Inception graph", "put the right file there"):
            return tf.import_graph_def(self._definition, input_map={start: given}, return_elements=wanted,
                                       name=prefix)

    def has(self, tensor: str) -> bool:
        """Whether the graph has the operation of this tensor."""
        return tensor.split(":")[0] in {node.name for node in self._definition.node}

    def _build_old(self, prefix: str):
        pictures = _V1.placeholder(tf.float32, [None, None, None, 3])
        pool, product = self._import(prefix, "ExpandDims:0", pictures, ["pool_3:0", "softmax/logits/MatMul"])
        features = tf.reshape(pool, [-1, product.inputs[1].shape[0]])
        return pictures, [features, features @ product.inputs[1]]

    def _build_new(self, prefix: str):
        pictures = _V1.placeholder(tf.float32, [None, None, None, 3])
        resized = tf.raw_ops.ResizeBilinear(images=pictures, size=[SIDE, SIDE], align_corners=False,
                                            half_pixel_centers=False)
        if self.has("logits:0"):
            logits = self._import(prefix, "Mul:0", resized, ["logits:0"])[0]
        else:
            names = ["pool_3:0", "softmax/logits/MatMul", "softmax/logits"]
            pool, product, biased = self._import(prefix, "Mul:0", resized, names)
            weights = product.inputs[1]
            logits = tf.reshape(pool, [-1, weights.shape[0]]) @ weights + biased.inputs[1]
        return pictures, [logits[:, :CLASSES_NEW]]


def _read(file: GraphFile):
    """The graph's definition, without the shapes that it was frozen with (they say that a batch is one
    image)."""
    definition = _V1.GraphDef()
    with reading(file.path, "cannot be read as a frozen graph", "put the right file there"):
        definition.ParseFromString(file.path.read_bytes())
    for node in definition.node:
        node.attr.pop("_output_shapes", None)
    return definition
