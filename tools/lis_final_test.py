#!/usr/bin/env python3
"""The reconstruction test of a finished LIS run on its final test images: ./tools/lis_final_test.py NAME"""
from pathlib import Path

from tfgan_suite import cli, experiment
from tfgan_suite.errors import UserError

USAGE = """./tools/lis_final_test.py NAME [--net=best] [--save_path=FOLDER]

Searches a code for each final test image and writes, into NET_test in save_path (default: the log folder), K.png with the image
beside its reconstruction, and loss.json. --net is best (by the running test), last, or the iteration of a checkpoint."""


def main(argv):
    (name,), _, overrides = cli.parse(argv, USAGE)
    params = experiment.load(name, overrides)
    if params.system not in ("glis", "lis_iterative"):
        raise UserError(f"{name}: is an experiment of {params.system}; the final test is of glis and lis_iterative")
    from tfgan_suite.files import archive
    from tfgan_suite.files.archive import Archive
    from tfgan_suite.lis import reconstruction
    from tfgan_suite.training import runs

    path = reconstruction.tested_file(params)
    if path is None:
        raise UserError(f"{params.wts_dir}: holds no checkpoint for --net={params.net}; train with ./train.py {name}, "
                        f"or give --net=last")
    system = runs.build(params, training=False)
    system.networks["g"].assign(Archive(path))
    folder = archive.make_folder(Path(params.save_path or params.log_dir) / f"{params.net}_test")
    reconstruction.final_test(system, system.source().test("final_test"), folder)
    print(f"Wrote the test of {path} into {folder}")


if __name__ == "__main__":
    cli.main(main)
