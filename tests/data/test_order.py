"""Orders are pure functions of the iteration."""
import numpy as np
import pytest

from tfgan_suite.data.order import RpganOrder, epoch_indices, rpgan_indices
from tfgan_suite.errors import UserError


@pytest.mark.parametrize("n, bsz", [(1, 4), (5, 8), (10, 4), (64, 16)])
def test_rpgan_sequence_in_any_order_of_asking(n, bsz):
    state = np.random.RandomState(0)
    sequence = np.concatenate([state.permutation(n) for _ in range(1 + 40 * bsz // n)])
    for step in (0, 1, 2, 30, 3, 39, 0):
        assert np.array_equal(rpgan_indices(n, bsz, step), sequence[step * bsz:(step + 1) * bsz])


def test_rpgan_keeps_few_permutations():
    order = RpganOrder(3)
    for start in range(0, 3000, 2):
        order.slice(start, 2)
    assert len(order._kept) <= 3


@pytest.mark.parametrize("n, batch", [(10, 4), (3, 8), (12, 4)])
def test_every_epoch_is_exact(n, batch):
    stream = np.concatenate([epoch_indices(n, batch, step, seed=7) for step in range(3 * n)])
    for epoch in stream[:len(stream) // n * n].reshape(-1, n):
        assert sorted(epoch) == list(range(n))


def test_dropping_the_remainder():
    epochs = [np.concatenate([epoch_indices(10, 4, 2 * e + i, 7, drop_remainder=True) for i in range(2)])
              for e in range(3)]
    assert all(len(set(e)) == 8 for e in epochs)
    assert not np.array_equal(epochs[0], epochs[1])


def test_seed_and_step_decide():
    assert np.array_equal(epoch_indices(100, 8, 5, 1), epoch_indices(100, 8, 5, 1))
    assert not np.array_equal(epoch_indices(100, 8, 5, 1), epoch_indices(100, 8, 5, 2))


def test_too_few_images():
    with pytest.raises(UserError, match="smaller batch"):
        epoch_indices(3, 4, 0, 0, drop_remainder=True)
    for function in (rpgan_indices, lambda n, b, s: epoch_indices(n, b, s, 0)):
        with pytest.raises(UserError, match="empty"):
            function(0, 4, 0)
