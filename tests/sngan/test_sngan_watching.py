"""What a run watches, as densely as the originals; snapshots of the authors; classes of sheets and walks."""
import numpy as np
import pytest
import tensorflow as tf
from sngan_tiny import system

from tfgan_suite.errors import UserError
from tfgan_suite.files.series import SeriesFile
from tfgan_suite.pictures import sheets, walks
from tfgan_suite.sngan import monitors
from tfgan_suite.sngan.projection import convert


class Host:
    def __init__(self, log_dir):
        self.log_dir, self.images = log_dir, []

    def image(self, tag, done, picture):
        self.images.append((tag, done, picture.shape))


@pytest.mark.parametrize("conditional", [True, False])
def test_dev_cost_has_the_statistics_of_training(conditional):
    tiny = system(CONDITIONAL=conditional, NETWORK="cifar", DATASET="cifar10")
    images, labels = tf.zeros((4, 32, 32, 3), tf.uint8), tf.constant([0, 1, 2, 3])
    before = [v.numpy() for n in tiny.networks.values() for v in n.variables]
    cost = monitors.DevCost(tiny).batch_cost(images, labels, tf.constant(7, tf.int64))
    assert all(np.array_equal(a, b) for a,
               b in zip(before, [v for n in tiny.networks.values() for v in n.variables]))
    draw = monitors.Draws(tiny.params.seed, tf.constant(7, tf.int64))
    z, g = draw.normal("dev/z", (4, tiny.dim_z)), tiny.networks["g"]
    fake = tf.stack([f for pair in zip(g(z[0::2], labels[0::2]), g(z[1::2], labels[1::2])) for f in pair])
    real = tiny.dequantise(images, draw.uniform("dev/noise", images.shape, 0.0, 1.0 / 128.0))
    np.testing.assert_allclose(cost, tiny.critic_cost(real, fake, labels, update=False)[0], rtol=1e-5)
    whole = tiny.critic_cost(real, g(z, labels), labels, update=False)[0]
    assert abs(float(whole) - float(cost)) > 1e-6  # one batch of four would be normalised otherwise


def test_costs_of_every_iteration_survive_a_stop(tmp_path):
    costs = monitors.Costs()
    assert costs.flush(tmp_path) == {}
    for step in range(5):
        costs.observe(step, {"d_cost": np.float32(step), "lr": np.float32(1),
                             **({"g_cost": np.float32(-step)} if step else {})})
        if step == 2:
            assert costs.flush(tmp_path)["d_cost"] == {1: 0.0, 2: 1.0, 3: 2.0}
    assert costs.flush(tmp_path)["g_cost"] == {i + 1: -float(i) for i in range(1, 5)}
    again = monitors.Costs()  # resumed from iteration 3
    again.observe(3, {"d_cost": np.float32(30)})
    assert again.flush(tmp_path)["d_cost"] == {1: 0.0, 2: 1.0, 3: 2.0, 4: 30.0}
    assert SeriesFile(tmp_path / "costs.csv", 99).series["d_cost"] == {1: 0.0, 2: 1.0, 3: 2.0, 4: 30.0}


def test_sheets_as_often_as_in_the_originals(tmp_path):
    host = Host(tmp_path)
    events = {e.name: e for e in system(SAVEFREQ=1000).events()}
    assert [d for d in range(0, 2001, 50) if d and events["sheet"].is_due(d)] == [
        100 * k for k in range(1, 20) if k != 10]  # with a checkpoint there is one anyway
    assert not any(e.is_due(100) for e in system(sample_every=7).events() if e.name == "sheet")
    assert events["sheet"].run(100, host) == {} and host.images == [("samples", 100, (160, 160, 3))]
    tiny = system("sngan_projection", evaluation_interval=50, snapshot_interval=1000)
    events = {e.name: e for e in tiny.events()}
    assert events["sheet"].is_due(50) and not events["sheet"].is_due(55) and events["latest sheet"].is_due(55)
    events["latest sheet"].run(55, host)
    assert (tmp_path / "samples/latest.png").read_bytes().startswith(b"\x89PNG")
    assert not {"sheet", "latest sheet"} & {e.name
                                            for e in system("sngan_projection",
                                                            evaluation_interval=0).events()}


def test_curves_of_both_systems(tmp_path):
    (tmp_path / "metrics.jsonl").write_text(
        '{"iteration": 50, "inception_5k": 2.0, "d_cost": 1.0, "inception_5k_std": 0}\n'
    )
    curves = {e.name: e for e in system("sngan_projection", snapshot_interval=100).events()}["curves"]
    assert curves.run(100, Host(tmp_path)) == {}
    assert {p.stem for p in tmp_path.glob("*.png")} == {"d_cost", "inception_5k", "inception_5k_std"}
    tiny = system(SAVEFREQ=100)
    tiny.observe(0, {"g_cost": np.float32(1)})
    {e.name: e for e in tiny.events()}["curves"].run(100, Host(tmp_path))
    assert (tmp_path / "g_cost.png").is_file() and (tmp_path / "costs.csv").read_text() == "1,g_cost,1.0\n"


def test_uniform_latents():
    tiny = system("sngan_projection", distribution="uniform")
    z = tiny.latents(500, 3)
    assert z.dtype == np.float32 and -1 <= z.min() < -0.9 and 0.9 < z.max() < 1
    drawn = tiny.draws(monitors.Draws(0, tf.constant(1, tf.int64)), None)
    assert all(float(tf.reduce_max(tf.abs(v))) <= 1 for name, v in drawn.items() if name.endswith("/z"))
    assert np.abs(system("sngan_projection").latents(500, 3)).max() > 2


def test_snapshots_in_a_folder(tmp_path):
    source, other = system("sngan_projection"), system("sngan_projection", seed=5)
    for number in (9, 10):
        np.savez(tmp_path / f"ResNetGenerator_{number}.npz", **dict(source.networks["g"].arrays()))
    np.savez(tmp_path / "SNResNetProjectionDiscriminator_10.npz", **dict(source.networks["d"].arrays()))
    for given, number in ((tmp_path, 10), (tmp_path / "ResNetGenerator_9.npz", 9),
                          (tmp_path / "SNResNetProjectionDiscriminator_10.npz", 10)):
        assert convert.iteration(str(given)) == number
        assert set(convert.convert(str(given), other.params)) == ({"g", "d"} if number == 10 else {"g"})
    (tmp_path / "empty").mkdir()
    for given, wanted in ((tmp_path / "empty", "ResNetGenerator_N.npz"),
                          (tmp_path / "snapshot_iter_10", "give ResNetGenerator"),
                          (tmp_path / "empty/SNResNetProjectionDiscriminator_3.npz",
                           "no ResNetGenerator_3.npz lies beside")):
        with pytest.raises(UserError, match=wanted):
            convert.convert(str(given), other.params)
        with pytest.raises(UserError, match=wanted):
            convert.iteration(str(given))


def test_walks_through_several_classes():
    eye = np.eye(4, dtype=np.float32)
    path = walks.through(eye[[3, 0, 2]], 5)
    np.testing.assert_allclose(path, [eye[3], (eye[3] + eye[0]) / 2, eye[0], (eye[0] + eye[2]) / 2, eye[2]])
    a, b = np.random.default_rng(0).standard_normal((2, 6)).astype(np.float32)
    for n in (2, 7, 11):
        assert np.array_equal(walks.through(np.stack([a, b]), n), walks.linear(a, b, n))
    assert walks.class_list("3,0,2", 4, "x") == (3, 0, 2) and walks.class_list(None, 4, "x") is None
    for text, classes, problem in (("3", 4, "two or more classes"), ("1,x", 4, "classes A,B"),
                                   ("1,4", 4, "0 to 3"),
                                   ("1,2", 0, "not conditional")):
        with pytest.raises(UserError, match=problem):
            walks.class_list(text, classes, "x")
    tiny = system("sngan_projection", training=False)
    strip = walks.strips(tiny, [(1, 2), (4, 3)], 0, 5, (3, 8, 1))
    assert strip.shape == (2, 5, 16, 16, 3)
    assert sheets.in_columns((3, 5), 2, 3).tolist() == [3, 5, 3, 3, 5, 3]
