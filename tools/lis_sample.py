#!/usr/bin/env python3
"""Sample pictures of a LIS experiment, as the original's sample_images scripts make them: ./tools/lis_sample.py NAME"""
from pathlib import Path

from tfgan_suite import cli, experiment
from tfgan_suite.errors import UserError
from tfgan_suite.experiment import Parameter

USAGE = """./tools/lis_sample.py NAME[,SEED] [--save_path=FOLDER]

Writes, into sub-folders of save_path, sheets of samples after each number of LIS modules (after each round, for
lis_iterative), chains, interpolations and perturbations; with a reverser (lis_separate, or --load_path_r) also the samples that
it has repaired. Weights come from the experiment's wts_dir, or from --load_path_g and --load_path_r: files (.npz, or the
original's .pt) or folders of checkpoints."""

OPTIONS = (
    Parameter("save_path", "", "where the pictures go (default: sampled in the log folder)"),
    Parameter("load_path_g", "", "weights of G"),
    Parameter("load_path_r", "", "weights of R"),
    Parameter("iteration", None, "of the checkpoint in wts_dir (default: the newest)", str),
    Parameter("sheets", 20, "how many of each kind", minimum=1),
    Parameter("with_real_images", False, "also find the codes of real images (needs R) and draw their neighbourhood"),
    Parameter("real_images", "../images/sample_real_images", "folder of these images (*.jpg)"),
    Parameter("embed_steps", 100000, "steps of the search for their codes", minimum=0),
)


def main(argv):
    (target,), options, overrides = cli.parse(argv, USAGE, OPTIONS)
    name, seed = cli.name_and_seed(target)
    params = experiment.load(name, overrides)
    from tfgan_suite.lis import opening, real_images, samples

    folders = samples.Folders(options["save_path"] or Path(params.log_dir) / "sampled")
    opened = opening.open_networks(params, options["load_path_g"], options["load_path_r"], options["iteration"])
    if options["with_real_images"]:
        if opened.sampler is None or opened.r is None:
            raise UserError("--with_real_images: needs G-LIS and a reverser; give a lis_separate experiment or --load_path_r")
        pictures = real_images.read(options["real_images"], *opened.system.sizes.image)
    if opened.sampler is None:
        samples.round_sheets(opened.system, folders, seed, options["sheets"], params.output_scale)
    else:
        samples.sheets(opened.sampler, folders, seed, options["sheets"], params.output_scale)
        samples.interpolations(opened.sampler, folders, seed, options["sheets"])
        samples.perturbations(opened.sampler, folders, seed, options["sheets"])
    if options["with_real_images"]:
        codes = real_images.embed(opened.g, opened.r, pictures, options["embed_steps"])
        real_images.pictures_of(codes, opened.sampler, folders)
    print(f"Wrote {options['sheets']} pictures of each kind into {folders.root}")


if __name__ == "__main__":
    cli.main(main)
