"""The tables of old and new commands: a command here means what it meant in the originals, flags not given
included."""
import re
import shlex

import pytest
from tiny import ROOT

from tfgan_suite import experiment
from tfgan_suite.jsreg.dcgan import data
from tfgan_suite.jsreg.gan64.objectives import OBJECTIVES

# Defaults of rothk/Stabilizing_GANs; None: what the program takes then is another flag's value.
DCGAN = {"dataset": "celebA", "epochs": 10, "gamma": 0.1, "annealing": False, "decay_factor": 0.01,
         "unreg": False,
         "rmsprop": False, "gaussian_prior": False, "disc_learning_rate": 0.0002, "gen_learning_rate": 0.0002,
         "disc_update_steps": 1, "dataset_size": float("inf"), "batch_size": 64, "input_height": 108,
         "input_width": None,
         "output_height": 64, "output_width": None, "input_fname_pattern": "*.jpg"}
GAN64 = {"mode": "regularized_gan", "architecture": "None", "dataset": "celebA", "n_gpus": 1, "iters": 100000,
         "gamma": 0.1,
         "annealing": False, "decay_factor": 0.01, "unreg": False, "disc_learning_rate": 0.0002,
         "gen_learning_rate": 0.0002, "disc_update_steps": 1, "batch_size": 64}
MIXTURE = {"z_dim": 2, "unreg": False, "alt_gen_loss": False, "annealing": False, "decay_factor": 0.01,
           "sgd": False,
           "rmsprop": False, "wall_clock": False, "uniform_prior": False, "gamma": 0.1,
           "disc_learning_rate": 1e-3,
           "gen_learning_rate": 1e-3, "disc_pretrain_steps": 0, "disc_update_steps": 1, "gen_update_steps": 1,
           "batch_size": 512, "viz_batches": 10, "max_steps": 100000, "plot_freq": 10000, "num_runs": 3}
SCRIPTS = {"main.py": DCGAN, "gan_64x64.py": GAN64, "3DGAN.py": MIXTURE}
# gan_64x64.py does not look at its learning-rate flags
RATES = {"wgan": 5e-5, "wgan-gp": 1e-4, "lsgan": 1e-4}
CRITIC_STEPS = {"wgan": 5, "wgan-gp": 5}


def rows():
    """(old command, new command) of each row of the two pages that trains."""
    for page in ("jsreg", "jsreg_gan64"):
        for line in (ROOT / f"docs/{page}.md").read_text().splitlines():
            found = re.match(r"\| `(\S+\.py[^`]*)`.*\| `\./train\.py ([^`]*)`", line)
            if found and "checkpoint_dir" not in line:
                yield found.groups()


def options(words) -> dict:
    """`--name=value` and `--switch` as name -> text."""
    return {word[2:].partition("=")[0]: word.partition("=")[2] or "True" for word in words}


def meant(command: str) -> dict:
    """What the original did: its values by flag, those that it computes included."""
    script, *words = shlex.split(command)
    given = options(words)
    assert set(given) <= set(SCRIPTS[script])
    values = {name: type(default)(given[name]) if name in given and default is not None else default
              for name, default in SCRIPTS[script].items()}
    values.update({name: text == "True" for name, text in given.items()
                   if isinstance(SCRIPTS[script][name], bool)})
    if script == "main.py":
        for side in ("input", "output"):
            values[f"{side}_width"] = values[f"{side}_width"] or values[f"{side}_height"]
    if script == "gan_64x64.py":
        rate = RATES.get(values["mode"], 2e-4)
        values.update(disc_learning_rate=rate, gen_learning_rate=rate)
        values["disc_update_steps"] = CRITIC_STEPS.get(values["mode"], values["disc_update_steps"])
    return values


def ours(command: str) -> dict:
    """What the command does here, likewise."""
    name, *words = shlex.split(command)
    params = experiment.load(name, options(words))
    values = dict(params.values)
    if params.system == "jsreg_dcgan":
        height, width = data.output_size(params)
        values.update(output_height=height, output_width=width, input_width=params.input_width
                      or params.input_height,
                      dataset_size=params.dataset_size or float("inf"))
    if params.system == "jsreg_gan64":
        objective = OBJECTIVES[params.mode]
        values.update({rate: params.values[rate] or objective.rate
                       for rate in ("disc_learning_rate", "gen_learning_rate")},
                      disc_update_steps=params.disc_update_steps or objective.disc_steps)
    return values


@pytest.mark.parametrize("old, new", rows())
def test_a_command_means_what_it_meant(old, new):
    values, expected = ours(new), meant(old)
    assert {name: values[name] for name in expected} == expected


def test_every_program_is_in_the_tables():
    assert {old.split()[0] for old, _ in rows()} == set(SCRIPTS) and len(list(rows())) >= 12
