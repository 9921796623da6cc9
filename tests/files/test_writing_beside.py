"""Writing beside the training: order, errors, and the same records as one by one."""
import threading

import numpy as np
import pytest
import tensorflow as tf

from tfgan_suite.files import tf1_events
from tfgan_suite.files.later import MOST, Later
from tfgan_suite.training.logs import scalar_record


def test_calls_are_made_in_order_and_waited_for():
    later, done, go = Later(), [], threading.Event()
    later.call(go.wait, 10)
    for i in range(MOST - 1):
        later.call(done.append, i)
    assert done == []
    go.set()
    later.wait()
    assert done == list(range(MOST - 1))
    later.close()
    later.call(done.append, "again")
    later.close()
    assert done[-1] == "again"


def test_an_error_is_raised_once_by_the_next_call():
    later, done = Later(), []

    def full():
        raise OSError(28, "No space left on device")

    later.call(full)
    later.call(done.append, 1)  # dropped
    with pytest.raises(OSError, match="No space left"):
        later.wait()
    later.call(done.append, 2)
    later.close()
    assert done == [2]


def records(folder):
    """(step, tag) -> scalar, or the sum of a histogram, of all event files of a folder."""
    found = {}
    for path in sorted(folder.glob(tf1_events.NAMES)):
        for record in tf.data.TFRecordDataset(str(path)):
            event = tf.compat.v1.Event.FromString(record.numpy())
            for value in event.summary.value:
                found[event.step, value.tag] = value.simple_value or value.histo.sum
    return found


def test_many_records_in_one_call_are_those_of_many_calls(tmp_path):
    def compute(x, y):
        return {"sum": tf.reduce_sum(x) + y}, {"all": x * y}

    draw = np.random.default_rng(0)
    rows = [(3 * i, tf.constant(draw.normal(size=(4, 2)), tf.float32), tf.constant(float(i)))
            for i in range(7)]
    one, many = (tf1_events.EventFile(tmp_path / name) for name in ("one", "many"))
    record = one.recorder(compute)
    for row in rows:
        record(*row)
    together = many.batch_recorder(compute, [tf.TensorSpec((4, 2)), tf.TensorSpec(())])
    together(rows[:5])
    together(rows[5:])
    assert records(tmp_path / "one") == records(tmp_path / "many") and len(records(tmp_path / "one")) == 14


def test_one_record_of_scalars_is_what_each_writes(tmp_path):
    values = {"G": 0.25, "L/00": float("nan"), "L/01": -3.5e20}
    for name, write in (("one", lambda: [tf.summary.scalar(n, v) for n, v in values.items()]),
                        ("all", lambda: tf.summary.experimental.write_raw_pb(scalar_record(values)))):
        writer = tf.summary.create_file_writer(str(tmp_path / name))
        with writer.as_default(step=7):
            write()
        writer.close()
    found = []
    for name in ("one", "all"):
        events = [tf.compat.v1.Event.FromString(record.numpy()) for path in (tmp_path / name).iterdir()
                  for record in tf.data.TFRecordDataset(str(path))]
        found.append([(event.step, value.tag, value.metadata.plugin_data.plugin_name,
                       str(tf.make_ndarray(value.tensor)), value.tensor.dtype)
                      for event in events for value in event.summary.value])
    assert found[0] == found[1] and len(found[0]) == 3
