"""Tiny runs of both systems on the embedded digits."""
from __future__ import annotations

from tfgan_suite.experiment import Parameters, declared
from tfgan_suite.registry import system_class

SIZES = {
    "sngan": {"DATASET": "digits", "NETWORK": "digits", "BATCH_SIZE": 4, "DIM_G": 2, "DIM_D": 3, "DIM_Z": 4,
              "ITERS": 4,
              "EMBEDDING_DIM": 3, "N_CRITIC": 2, "SAVEFREQ": 2, "INCEPTION_FREQUENCY": 0,
              "SINGULAR_FREQUENCY": 2, "LR": 0.01},
    "sngan_projection": {"dataset": "digits", "network": "16", "gen_ch": 4, "dis_ch": 3, "dim_z": 4,
                         "dim_emb": 3,
                         "batchsize": 4, "n_gen_samples": 6, "n_dis": 2, "iteration": 4,
                         "snapshot_interval": 2,
                         "evaluation_interval": 0, "SINGULAR_FREQUENCY": 2, "alpha": 0.01},
}


def parameters(kind="sngan", **values):
    """Parameters of a tiny run, converted as the command line converts them."""
    known = declared(kind)
    given = {**SIZES[kind], **values}
    chosen = {n: known[n].convert(given[n], "test") if n in given else p.default for n, p in known.items()}
    return Parameters("tiny", {**chosen, "system": kind, "log_every": 1}, {}, known)


def system(kind="sngan", training=True, **values):
    """A tiny system."""
    return system_class(kind)(parameters(kind, **values), training)
