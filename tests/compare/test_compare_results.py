"""Statistics by hand, flags, tables."""
import csv
import json
import math
from pathlib import Path

import numpy as np
import pytest

from tfgan_suite.compare import results, scoring
from tfgan_suite.errors import UserError


def test_interval_by_hand():
    low, high = results.interval([1.0, 2.0, 3.0])  # mean 2, deviation 1, t(0.975; 2) = 4.302653
    assert low == pytest.approx(2 - 4.302653 / math.sqrt(3), abs=1e-5)
    assert high == pytest.approx(2 + 4.302653 / math.sqrt(3), abs=1e-5)
    low, high = results.interval([1.0, 3.0])  # t(0.975; 1) = 12.7062
    assert high - low == pytest.approx(2 * 12.7062 * math.sqrt(2) / math.sqrt(2), rel=1e-5)
    assert results.interval([1.0]) is None
    assert results.interval([0.5, 0.5]) == (0.5, 0.5)


def test_interval_covers_as_often_as_it_says():
    draw = np.random.default_rng(0).normal(1.0, 2.0, (4000, 3))
    held = np.mean([low <= 1.0 <= high for low, high in map(results.interval, draw.tolist())])
    assert abs(held - 0.95) < 0.012


def test_differences_are_paired():
    mine, base = {0: 1.1, 1: 2.1, 2: 9.0}, {0: 1.0, 1: 2.0, 3: 5.0}
    found = results.difference(mine, base)
    assert found["n"] == 2 and found["mean"] == pytest.approx(0.1)
    assert (found["low"], found["high"]) == pytest.approx((0.1, 0.1))  # the spread of the seeds is gone
    assert results.difference({0: 1.0}, {0: 3.0}) == {"mean": -2.0, "low": None, "high": None, "n": 1}
    assert results.difference({0: 1.0}, {1: 3.0}) is None


@pytest.mark.parametrize("name,lower", [("digits_is_ratio", False), ("digits_fid", True),
                                        ("fid_2k_train", True),
                                        ("kid_2k_train", True), ("swd", True), ("is_50k", False),
                                        ("swd_16", True),
                                        ("reconstruction_error", True), ("digits_agreement", False),
                                        ("distance_to_mode", True),
                                        ("modes_covered", False)])
def test_which_way_is_better(name, lower):
    assert results.lower_is_better(name) is lower


def test_what_ranks():
    names = ["digits_is", "digits_is_std", "digits_is_real", "digits_is_ratio", "digits_fid",
             "digits_share_0"]
    assert results.rank_metric(names) == "digits_is_ratio"
    assert results.rank_metric(["is_2k", "is_2k_std", "fid_2k_train"]) == "fid_2k_train"
    assert results.rank_metric(["modes_covered"]) == "modes_covered" and results.rank_metric([]) == ""
    assert results.rank_metric(names, "digits_fid") == "digits_fid"
    for wrong in ("digits_is_std", "x"):
        with pytest.raises(UserError,
                           match="no such score; there are digits_is, digits_is_ratio, digits_fid"):
            results.rank_metric(names, wrong)


def record(status="done", seed=0, score=1.0, shares=(0.5, 0.5), ratio=1.0, **more):
    scores = {"digits_is_ratio": score, "digits_fid": 10 - score,
              **{f"digits_share_{i}": s for i, s in enumerate(shares)}}
    scores = scores if status == "done" else {}
    made = {"variant": "v", "experiment": "digits", "settings": {"x": "1"}, "system": "rpgan", "seed": seed,
            "status": status,
            "message": "", "iterations": 10, "seconds": 2.0, "peak_bytes": 2**30, "images": 40,
            "images_per_second": 20.0,
            "command": "./train.py digits", "folder": f"out/runs/v/seed{seed}", "scores": scores,
            "pictures": {},
            "points": [{"iteration": 10, "seconds": 2.0, "images": 40, "results": scores}] if scores
            else [],
            "neighbours": {"samples": 4, "median": 1.0, "median_real": 1.0, "ratio": ratio}}
    return {**made, "flags": results.flags(made), **more}


def test_flags():
    assert record()["flags"] == []
    assert record("diverged")["flags"] == ["diverged"] and record("failed")["flags"] == ["failed"]
    assert record(shares=(0.86, 0.14))["flags"] == ["class 1 nearly missing"]
    assert record(shares=(0.85, 0.15))["flags"] == []  # just 0.3 of an even share
    assert record(shares=(1.0, 0.0, 0.0))["flags"] == ["2 classes nearly missing"]
    assert record(ratio=0.49)["flags"] == ["samples repeat themselves"] and record(ratio=0.5)["flags"] == []


def test_a_variant_counts_what_ended_well():
    mine = [record(seed=0, score=2.0), record("diverged", seed=1),
            record(seed=2, score=4.0, shares=(0.9, 0.1))]
    base = [record(seed=s, score=1.0 + s) for s in range(3)]
    found = results.variant_record("v", mine, base, ["digits_is_ratio"])
    score = found["scores"]["digits_is_ratio"]
    assert (found["done"], found["diverged"], found["failed"]) == (2, 1, 0)
    assert score["mean"] == 3 and score["std"] == pytest.approx(math.sqrt(2)) and score["n"] == 2
    assert score["difference"]["mean"] == pytest.approx(1.0) and score["difference"]["n"] == 2
    assert found["least_share"] == pytest.approx(0.1) and found["shares"] == {"0": pytest.approx(0.7),
                                                                              "1": pytest.approx(0.3)}
    assert results.variant_record("v", base, base,
                                  ["digits_is_ratio"])["scores"]["digits_is_ratio"]["difference"] is None


def test_nearest_neighbours():
    draw = np.random.default_rng(0).integers(0, 256, (5, 16, 16, 3), np.uint8)
    images = np.concatenate([draw, draw[2:3] // 2 * 2])
    distances, closest = scoring.nearest(images)
    assert closest[2] == 5 and closest[5] == 2
    flat = images.astype(float).mean(-1).reshape(6, -1) / 255
    for i in range(6):
        others = [np.sqrt(np.mean((flat[i] - flat[j])**2)) for j in range(6) if j != i]
        assert distances[i] == pytest.approx(min(others), abs=1e-6)


@pytest.mark.parametrize("numbers,count,chosen", [
    ([1, 2, 3], 5, [1, 2, 3]), ([10, 20, 30, 40, 50], 3, [10, 30, 50]), ([10, 20, 30], 1, [30]),
    ([], 3, []),
    ([1, 2, 3, 4, 100], 3, [1, 4, 100]),
])
def test_some_of_the_checkpoints(numbers, count, chosen):
    assert scoring.spread(numbers, count) == chosen


def test_files(tmp_path):
    variant = results.variant_record("v", [record(score=2.0), record("failed", seed=1, message="no room")],
                                     [], ["digits_fid"])
    comparison = {"variants": [variant], "odd": float("nan")}
    results.write_json(tmp_path / "r.json", comparison)
    back = json.loads((tmp_path / "r.json").read_text())
    assert back["odd"] is None and back["variants"][0]["scores"]["digits_fid"]["seeds"] == {"0": 8.0}
    results.write_csv(tmp_path / "r.csv", comparison)
    first, second = csv.DictReader((tmp_path / "r.csv").open())
    assert first["setting:x"] == "1" and float(first["digits_is_ratio"]) == 2.0
    assert second["digits_is_ratio"] == ""
    assert second["status"] == "failed" and second["message"] == "no room"
    results.write_hparams(tmp_path / "h", comparison)
    results.write_hparams(tmp_path / "h", comparison)
    assert sorted(p.name for p in (tmp_path / "h").iterdir()) == ["v-seed0", "v-seed1"]
    assert len(list((tmp_path / "h/v-seed0").iterdir())) == 1  # the second writing replaced the first
    tags = tags_of(next((tmp_path / "h/v-seed0").iterdir()))
    assert {"_hparams_/session_start_info", "digits_fid", "digits_is_ratio"} <= tags


def tags_of(path: Path) -> set:
    import tensorflow as tf

    return {value.tag for event in tf.compat.v1.train.summary_iterator(str(path))
            for value in event.summary.value}
