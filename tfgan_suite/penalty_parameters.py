"""Parameters of the Jensen-Shannon regulariser (`penalties.js_penalty`), for every system that offers `--penalty=js`.

No TensorFlow here. A system adds `*penalty_parameters.JS` to its tuple, or `*penalty_parameters.js(penalty="js", gamma=2.0)`
for other defaults.
"""
from __future__ import annotations

from tfgan_suite.experiment import Parameter


def js(penalty: str = "none", gamma: float = 0.1, annealing: bool = False, decay_factor: float = 0.01) -> tuple:
    """The four parameters, with these defaults (of rothk/Stabilizing_GANs, but for `penalty`)."""
    return (
        Parameter("penalty", penalty, "extra term of the D loss: js is the Jensen-Shannon gradient regulariser",
                  choices=("none", "js")),
        Parameter("gamma", gamma, "weight of the regulariser (at the start); D minimises loss + gamma/2 * regulariser",
                  minimum=0.0, maximum=1e6),
        Parameter("annealing", annealing, "let gamma decay exponentially to decay_factor * gamma"),
        Parameter("decay_factor", decay_factor, "last gamma / first gamma, with annealing", minimum=0.0, maximum=1e6),
    )


JS = js()
