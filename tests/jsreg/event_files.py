"""Reading TensorBoard's event files back."""
import tensorflow as tf
from tensorflow.core.util import event_pb2


def read(folder) -> dict:
    """Tag -> step -> value (a float) or histogram (`HistogramProto`), of the event files in one folder."""
    found = {}
    for path in sorted(folder.glob("events.out.tfevents.*")):
        for record in tf.data.TFRecordDataset(str(path)):
            event = event_pb2.Event.FromString(record.numpy())
            for value in event.summary.value:
                kind = value.WhichOneof("value")
                held = {"simple_value": lambda v: v.simple_value, "histo": lambda v: v.histo,
                        "tensor": lambda v: tf.make_ndarray(v.tensor),
                        "image": lambda v: v.image}[kind](value)
                found.setdefault(value.tag, {})[event.step] = held
    return found


def graphs(folder) -> list[set]:
    """The names of the nodes of each graph in the event files of one folder, those of its functions
    included."""
    found = []
    for path in sorted(folder.glob("events.out.tfevents.*")):
        for record in tf.data.TFRecordDataset(str(path)):
            content = event_pb2.Event.FromString(record.numpy()).graph_def
            if content:
                graph = tf.compat.v1.GraphDef.FromString(content)
                bodies = [graph.node, *(function.node_def for function in graph.library.function)]
                found.append({node.name for body in bodies for node in body})
    return found
