#!/usr/bin/env python3
"""Densities of single components of the codes before and after each LIS module: ./tools/lis_density.py NAME"""

from tfgan_suite import cli, experiment
from tfgan_suite.errors import UserError
from tfgan_suite.experiment import Parameter

USAGE = """./tools/lis_density.py NAME[,SEED] [--nb_points=500000] [--save_path=FOLDER]

Prints mean and standard deviation of each component of the noise, and writes into density_plots in save_path, for component VVV
after RR modules: density_rRR_vVVV.csv, density_all_vVVV.jpg, density_rRR_vVVV.jpg, and the same as kernel densities
(density_kde_...)."""

OPTIONS = (
    Parameter("save_path", "", "where density_plots goes (default: the log folder)"),
    Parameter("load_path_g", "", "weights of G: a file (.npz, .pt) or a folder of checkpoints (default: wts_dir)"),
    Parameter("iteration", None, "of the checkpoint in wts_dir (default: the newest)", str),
    Parameter("nb_points", 500000, "codes", minimum=1),
    Parameter("components", 50, "how many components", minimum=1),
)


def main(argv):
    (target,), options, overrides = cli.parse(argv, USAGE, OPTIONS)
    name, seed = cli.name_and_seed(target)
    params = experiment.load(name, overrides)
    from tfgan_suite.lis import opening, plots, samples

    folder = samples.Folders(options["save_path"] or params.log_dir).path("density_plots")
    sampler = opening.open_networks(params, options["load_path_g"], iteration=options["iteration"]).sampler
    if sampler is None:
        raise UserError(f"{name}: its G has no LIS modules; give a glis or lis_separate experiment")
    vectors = sampler.vectors(sampler.codes(options["nb_points"], seed, "density"))
    for v, (mean, deviation) in enumerate(zip(vectors[0].mean(axis=0), vectors[0].std(axis=0))):
        print(f"component {v}: mean {mean:.6f}, standard deviation {deviation:.6f}")
    plots.densities(vectors, folder, options["components"])
    print(f"Wrote densities after 0 to {sampler.modules} modules into {folder}")


if __name__ == "__main__":
    cli.main(main)
