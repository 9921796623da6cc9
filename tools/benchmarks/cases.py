"""The iterations that are compared with PyTorch and with what the processor can do: one for each paper's main
setting, on a batch in memory."""
from __future__ import annotations

import os

_PGGAN = {"experiment": "pggan_faces64"}
CASES: dict[str, dict] = {  # title -> see `worker.ours`; `peer`: in `peers_torch`, of these `sizes`
    "RP-GAN face12, batch 8": {
        "experiment": "face12", "values": {"bsz": "8"},
        "peer": "rpgan", "sizes": {"k": 12, "df": 128, "batch": 8}},
    "RP-GAN baseline, batch 64": {
        "experiment": "face1", "system": "rpgan_baseline", "values": {},
        "peer": "rpgan", "sizes": {"k": 1, "df": 64, "batch": 64, "project": False}},
    "DCGAN 64x64, batch 64, JS": {
        "experiment": "jsreg_dcgan_celeba", "values": {"output_height": "64", "dataset": "digits"},
        "peer": "dcgan", "sizes": {"batch": 64, "z": 100}},
    "gan64 DCGAN, batch 64, JS": {
        "experiment": "jsreg_gan64",
        "values": {"architecture": "DCGAN", "dataset": "digits", "batch_size": "64"},
        "peer": "dcgan", "sizes": {"batch": 64, "z": 128}},
    "gan64 ResNet, batch 8, JS": {
        "experiment": "jsreg_gan64", "values": {"dataset": "digits", "batch_size": "8"},
        "peer": "resnet64", "sizes": {"batch": 8}},
    "3-D mixture, batch 512": {
        "experiment": "jsreg_mixture", "values": {}, "peer": "mixture", "sizes": {"batch": 512}},
    "SNGAN width 64, batch 32": {
        "experiment": "sngan_cifar10", "values": {"DIM_G": "64", "DIM_D": "64", "BATCH_SIZE": "32"},
        "peer": "sngan", "sizes": {"batch": 32, "dim": 64}},
    "G-LIS 80x80, batch 32": {
        "experiment": "glis_celeba80", "values": {"dataset": "digits"},
        "peer": "glis", "sizes": {"batch": 32}},
    "PGGAN 32x32, batch 24": {
        **_PGGAN, "values": {"obj": "1", "startRes": "32", "endRes": "32"},
        "peer": "pggan", "sizes": {"size": 32, "batch": 24}},
    "PGGAN 16x16, batch 32": {
        **_PGGAN, "values": {"obj": "1", "startRes": "16", "endRes": "16"},
        "peer": "pggan", "sizes": {"size": 16, "batch": 32}},
}


def chosen(text: str, folder: str) -> dict[str, dict]:
    """The cases whose title contains `text`, on as many threads as there are processors here.

    Args:
        folder: for what an iteration might write; nothing is written there.
    """
    threads = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    places = {"wts_dir": f"{folder}/weights", "log_dir": f"{folder}/logs"}
    return {title: {**case, "values": {**case["values"], **places}, "threads": threads}
            for title, case in CASES.items() if text in title}
