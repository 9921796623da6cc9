"""The experiment files of the original's commands."""
from tfgan_suite import experiment
from tfgan_suite.lis.parameters import results_folder


def test_no_augmented_images_are_kept_of_cifar10():
    """The original's command asks for a cache, and its program does not use it for this data set."""
    params = experiment.load("glis_cifar10")
    assert params.nb_cache_total == 0
    assert experiment.load("glis_flowers").nb_cache_total == 30000


def test_weights_and_logs_lie_below_the_save_path(tmp_path):
    """So that two experiments of one name are kept apart, as in the original."""
    params = experiment.load("glis_celeba80", {"save_path": "runs/exp01"})
    assert (params.wts_dir, params.log_dir) == ("runs/exp01/models", "runs/exp01/logs")
    assert str(results_folder(params)) == "runs/exp01"
    given = experiment.load("glis_celeba80", {"save_path": "runs/exp01", "wts_dir": "w"})
    assert (given.wts_dir, given.log_dir) == ("w", "runs/exp01/logs")
    separate = experiment.load("lis_separate_celeba80", {"save_path_r": "runs/r-exp01"})
    assert separate.wts_dir == "runs/r-exp01/models"
    assert experiment.load("glis_celeba80").wts_dir == "models/glis_celeba80"
