"""A tiny LIS experiment on the digits."""
from types import SimpleNamespace

from tfgan_suite import experiment
from tfgan_suite.experiment import Parameters

SMALL = {"dataset": "digits", "image_size": 8, "nlayer": 2, "code_size": 5, "nfeature": 4, "batch_size": 4,
         "norm": "weight",
         "r_iterations": 2, "vis_size": 2, "test_steps": 2, "lr": 0.001, "niter": 4}


def parameters(system="glis", folder="unused", **changes) -> Parameters:
    """Checked parameters of a tiny run whose files go below `folder`."""
    declared = experiment.declared(system)
    values = {name: p.default for name, p in declared.items()}
    given = {**SMALL, "wts_dir": f"{folder}/models", "log_dir": f"{folder}/logs", **changes}
    for name, value in given.items():
        values[name] = declared[name].convert(value, "test")
    values["system"] = system
    return Parameters("tiny", values, {}, declared)


def host(params, source):
    """What the trainer gives to events, and what they logged."""
    logged = []
    return SimpleNamespace(params=params, source=source, log_dir=params.log_dir, image=None,
                           line=lambda text, stamp=True: None,
                           log=lambda step, values: logged.append((step, values)), logged=logged)
