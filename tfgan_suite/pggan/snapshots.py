"""Snapshots of alenmora/ppgan (.pth.tar), and this suite's checkpoints, as a start of training."""
from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from tfgan_suite.errors import UserError, reading
from tfgan_suite.files import torch
from tfgan_suite.files.archive import Archive
from tfgan_suite.files.checkpoints import Checkpoints, StoredState
from tfgan_suite.layers.conventions import PPGAN
from tfgan_suite.pggan.networks import Sizes
from tfgan_suite.pggan.schedule import level_of

PARTS = {"g": ("gen", "gOptimizer"), "d": ("crit", "cOptimizer")}


def read(path) -> dict:
    """The dictionary of a snapshot: 'gen', 'crit' (name -> array), 'gOptimizer', 'cOptimizer'.

    Raises:
        UserError: not readable, or no snapshot of that program.
    """
    content = torch.load(path)
    advice = "give a .pth.tar that the trainer of ppgan wrote"
    if not isinstance(content, dict) or not {"gen", "crit"} <= set(content):
        raise UserError(f"{path}: is no snapshot of ppgan (it has no 'gen' and 'crit'); {advice}")
    for part in ("gen", "crit"):
        torch.arrays_of(content[part], path, advice)
    return content


def level_in_name(path) -> int | None:
    """The level that a snapshot was trained at, from `modelCheckpoint_8x8_...` or `8x8_final_...`; None if it
    does not say."""
    found = re.match(r"(?:modelCheckpoint_)?(\d+)x\d+_", Path(path).name)
    return level_of(int(found[1])) if found else None


def sizes_of(arrays: dict, path="weights") -> Sizes:
    """The sizes that a generator's arrays were made with, so that sampling needs no flags.

    Args:
        arrays: name -> array in the original's layout.

    Raises:
        UserError: the arrays are of no such generator.
    """
    try:
        latent = arrays["net.chain.0.0.linear.weight"].shape[1]
        levels = 1 + max(int(name.split(".")[2]) for name in arrays if name.startswith("net.toRGBs."))
        widths = [arrays["net.chain.0.3.bias"].size] + [arrays[f"net.chain.{i}.4.bias"].size
                                                        for i in range(1, levels)]
        return Sizes(latent, arrays["net.toRGBs.0.0.bias"].size, (widths[0], *widths), group=0)
    except (KeyError, ValueError, IndexError) as error:
        raise UserError(f"{path}: is not a generator of ppgan ({error} is missing)") from None


def assign(network, arrays: dict, path) -> None:
    """Sets all weights from an original state dict, and how far a generator has grown from the file's name.

    Raises:
        UserError: other networks; names the first difference.
    """
    shapes = {name: shape for name, shape in network.shapes().items() if name.startswith("net.")}
    advice = "give the latentSize, endRes, stdDevGroup and fmap* that it was trained with"
    odd = sorted(set(shapes) ^ set(arrays))
    if odd:
        raise UserError(f"{path}: is of other networks (first difference: '{odd[0]}'); {advice}")
    for name, shape in shapes.items():
        if arrays[name].shape != tuple(shape):
            raise UserError(f"{path}: is of other networks ('{name}' has shape {arrays[name].shape}, here "
                            f"{shape}); {advice}")
    network.assign(arrays)
    level = level_in_name(path)
    if network.progress is not None and level is not None and 0 <= level < network.sizes.levels:
        network.progress.assign([level, 1.0])


def _assign_optimizer(optimizer, variables, saved: dict) -> None:
    """Adam's state by position; parameters without a state have not been trained yet."""
    for key, variable in zip(saved["param_groups"][0]["params"], variables):
        for slot, value in saved["state"].get(key, {}).items():
            if slot in ("step", "exp_avg", "exp_avg_sq"):
                value = np.asarray(value, np.float32)
                axes = np.argsort(PPGAN.axes(variable.name, value.ndim))
                optimizer.slot(slot, variable).assign(value.transpose(axes))


def load(system, content: dict, path) -> tuple[dict, list[str]]:
    """Sets a training system's weights, Adam states and rates from a snapshot.

    As in the original, the snapshot's rates hold until the resolution changes, its betas and its weight decay
    for ever.

    Returns:
        The values of flags that the snapshot decides, and a line about each.
    """
    decided: dict = {}
    for kind, (weights, optimizer) in PARTS.items():
        assign(system.networks[kind], content[weights], path)
        saved = content.get(optimizer)
        if saved:
            with reading(path, f"holds no state of Adam under '{optimizer}'"):
                _assign_optimizer(system.optimizers[kind], system.networks[kind].trainable_variables, saved)
                decided.update(_hyperparameters(system, kind, saved["param_groups"][0]))
                if system.schedule.start_level == system.schedule.first:
                    system.extra_state[f"loaded_rate/{kind}"].assign(saved["param_groups"][0]["lr"])
    if "a" in system.networks:
        assign(system.networks["a"], content["gen"], path)
    lines = [f"Note: {name}={value} of {path} holds in place of {system.params.values[name]}, as in the "
             f"original"
             for name, value in decided.items()]
    return decided, lines


def _hyperparameters(system, kind: str, group: dict) -> dict:
    """Sets Adam's betas and weight decay to the snapshot's; returns the flags that had other values."""
    optimizer, first = system.optimizers[kind], {"g": "g", "d": "c"}[kind]
    betas, decay = tuple(map(float, group["betas"])), float(group["weight_decay"])
    decided = {}
    if betas != (optimizer.beta_1, optimizer.beta_2):
        decided[f"{first}Optimizer_betas"] = " ".join(map(str, betas))
    if decay != optimizer.decay:
        decided[f"{first}LR_wdecay"] = decay
    (optimizer.beta_1, optimizer.beta_2), optimizer.decay = betas, decay
    return decided


def _load_own(system, path: Path) -> list[str]:
    """Weights and Adam's state of this suite's checkpoint; returns lines about what it lacks."""
    found = re.fullmatch(r"iter_(\d+)\.gmodel\.npz", path.name)
    if not found:
        raise UserError(f"{path}: give a .pth.tar of the original, or an iter_N.gmodel.npz of this suite")
    files, number, lines = Checkpoints(path.parent), int(found[1]), []
    for kind, network in system.networks.items():
        present = files.path(kind, number).is_file()
        if not present and kind == "d":
            lines.append(f"Note: {files.path(kind, number)} is not there; the critic starts afresh")
        else:
            network.assign(Archive(files.path(kind if present else "g", number)))
    if not files.path("state", number).is_file():
        return [*lines, f"Note: {files.path('state', number)} is not there; the optimisers start afresh"]
    saved = StoredState(files.path("state", number))
    for name, variable in system.state().items():
        if name.split("/")[0] in system.optimizers and "learning_rate" not in name and name in saved:
            if saved[name].shape != tuple(variable.shape):
                raise UserError(f"{saved.path}: '{name}' has shape {saved[name].shape}, this run needs "
                                f"{variable.shape}")
            variable.assign(saved[name])
    return lines


def start_from(system, path: str) -> tuple[dict, list[str]]:
    """`--preWtsFile`: weights and Adam states of a snapshot, or of this suite's checkpoint.

    Returns:
        The values of flags that the file decides, and lines to show.

    Raises:
        UserError: missing, unreadable, or of other networks.
    """
    if not Path(path).is_file():
        raise UserError(f"{path}: no such file; give --preWtsFile the path of a snapshot")
    if path.endswith(".npz"):
        return {}, _load_own(system, Path(path))
    if system.params.networks != "original":
        raise UserError(f"{path}: snapshots of ppgan are of its own networks; give --networks=original")
    return load(system, read(path), path)
