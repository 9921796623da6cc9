#!/usr/bin/env python3
"""An animated GIF of a LIS run's training, before and after its modules: ./tools/lis_video.py NAME"""
from pathlib import Path

from tfgan_suite import cli, experiment
from tfgan_suite.experiment import Parameter

USAGE = """./tools/lis_video.py NAME [--save_path=training.gif]

Joins the pictures that the run wrote every vis_interval iterations: on the left the images of the bare noise (of the first
round; of G), on the right those after the last LIS module (after the last round; after R)."""

OPTIONS = (
    Parameter("save_path", "", "the file, .gif (default: training.gif beside the pictures)"),
    Parameter("load_path", "", "folder of the pictures (default: where the experiment writes them)"),
    Parameter("milliseconds", 200, "of a frame", minimum=20),
)


def main(argv):
    (name,), options, overrides = cli.parse(argv, USAGE, OPTIONS)
    params = experiment.load(name, overrides)
    from tfgan_suite.lis import video
    from tfgan_suite.pictures import saving

    values = params.values
    folder = options["load_path"] or values.get("save_path") or values.get("save_path_r") or params.log_dir
    target = options["save_path"] or Path(folder) / "training.gif"
    if options["save_path"]:
        saving.check_output(target, (".gif",))
    pictures = video.frames(folder)
    saving.save_gif(target, pictures, options["milliseconds"])
    print(f"Wrote {len(pictures)} frames to {target}")


if __name__ == "__main__":
    cli.main(main)
