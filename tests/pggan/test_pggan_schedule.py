"""The growth as a pure function of the iteration."""
import pytest
from pggan_support import make_params

from tfgan_suite.pggan.schedule import batches_of, schedule_of

TABLE = "4:6,8:6,16:3"


def make(**flags):
    return schedule_of(make_params(**{"batch_table": TABLE, "stdDevGroup": 3, "endRes": 16,
                                      "samplesWhileStable": 20,
                                      "samplesWhileFade": 12, **flags}))


def test_every_iteration_follows_from_the_one_before():
    """Images add up, a fade begins at 0 and never goes back, levels come in order."""
    schedule = make()
    moments = [schedule.at(i) for i in range(schedule.iterations)]
    for a, b in zip(moments, moments[1:]):
        assert b.shown == a.shown + a.batch
        assert (b.level, b.shown_here) in ((a.level, a.shown_here + a.batch), (a.level + 1, 0))
        assert b.alpha >= a.alpha or b.level > a.level
    assert [m.alpha for m in moments if m.level == 1][:3] == [0.0, 0.5, 1.0]
    assert moments[0].stage == "stable" and moments[-1].resolution == 16
    assert schedule.at(schedule.iterations).shown == moments[-1].shown + moments[-1].batch


def test_resume_by_flag_is_the_tail_of_the_whole_run():
    """--resumeTraining counts no fade that 4x4 never had, and goes on in the last resolution too."""
    whole = make()
    for resolution, images in ((4, 6), (8, 18), (16, 15), (16, 30)):
        tail = make(resumeTraining=f"{resolution} {images}")
        first = whole.iterations - tail.iterations
        assert tail.iterations > 0
        for i in range(tail.iterations):
            a, b = tail.at(i), whole.at(first + i)
            assert (a.level, a.alpha, a.shown_here, a.batch) == (b.level, b.alpha, b.shown_here, b.batch)


def test_no_fade_and_later_start():
    """samplesWhileFade 0 divides by nothing; startRes 8 begins at the 8x8 networks, stable."""
    assert {make(samplesWhileFade=0).at(i).stage for i in range(10)} == {"stable"}
    later = make(startRes=8)
    assert (later.at(0).level, later.at(0).resolution, later.at(0).stage) == (1, 8, "stable")
    assert later.at(later.first_iteration(2)).stage == "fade"


def test_stage_ends():
    """The last iteration of each fade and of each stable stage, and no other."""
    schedule = make()
    ends = [i for i in range(schedule.iterations) if schedule.ends_stage(i)]
    stages = [(schedule.at(i).level, schedule.at(i).stage) for i in ends]
    assert stages == [(0, "stable"), (1, "fade"), (1, "stable"), (2, "fade"), (2, "stable")]
    assert ends[-1] == schedule.iterations - 1


@pytest.mark.parametrize("flags, text", [
    ({"endRes": 48}, "power of two"),
    ({"endRes": 2048}, "largest value"),
    ({"startRes": 16, "endRes": 8}, "below startRes"),
    ({"stdDevGroup": 4}, "does not divide the batch"),
    ({"endRes": 64}, "no batch for 32"),
    ({"batch_table": "4=8"}, "RES:BATCH"),
    ({"resumeTraining": "8"}, "resolution and the images"),
    ({"gOptimizer_betas": "0.5"}, "two numbers"),
    ({"gLR_decay": 0.0}, "above 0"),
    ({"lamb": "nan"}, "not a number"),
])
def test_bad_flags(flags, text):
    """One line that names the flag."""
    from tfgan_suite.errors import UserError

    with pytest.raises(UserError, match=text) as error:
        make(**flags)
    assert "\n" not in str(error.value) and next(iter(flags)).split("_")[0][:6] in str(error.value)


def test_default_batches():
    """The original's table."""
    assert batches_of(make_params().batch_table) == {4: 32, 8: 32, 16: 32, 32: 24, 64: 16, 128: 16, 256: 16,
                                                     512: 8, 1024: 8}
