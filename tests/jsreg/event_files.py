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
                        "tensor": lambda v: tf.make_ndarray(v.tensor), "image": lambda v: v.image}[kind](value)
                found.setdefault(value.tag, {})[event.step] = held
    return found
