"""The experiment files of the original's commands."""
from tfgan_suite import experiment


def test_no_augmented_images_are_kept_of_cifar10():
    """The original's command asks for a cache, and its program does not use it for this data set."""
    params = experiment.load("glis_cifar10")
    assert params.nb_cache_total == 0
    assert experiment.load("glis_flowers").nb_cache_total == 30000
