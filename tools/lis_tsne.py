#!/usr/bin/env python3
"""t-SNE maps of the codes before and after each LIS module: ./tools/lis_tsne.py NAME"""

from tfgan_suite import cli, experiment
from tfgan_suite.errors import UserError
from tfgan_suite.experiment import Parameter

USAGE = """./tools/lis_tsne.py NAME[,SEED] [--nb_points=17500] [--save_path=FOLDER]

Writes tsne_plots/embedded_points_rRR.csv, tsne_0000_rRR.jpg and tsne_0000_rRR_kde.jpg for RR = 00 (the noise), 01, ... into
save_path. Tables of the right length that are there already are used again; delete them to compute them anew."""

OPTIONS = (
    Parameter("save_path", "", "where tsne_plots goes (default: the log folder)"),
    Parameter("load_path_g", "", "weights of G: a file (.npz, .pt) or a folder of checkpoints (default: wts_dir)"),
    Parameter("iteration", None, "of the checkpoint in wts_dir (default: the newest)", str),
    Parameter("nb_points", 17500, "codes in a map", minimum=4),
    Parameter("steps", 10000, "most iterations of t-SNE", minimum=250),
)


def points_of(codes, path, seed, steps):
    """The map of some codes, from its table if that is there."""
    from tfgan_suite.lis import plots

    if path.is_file():
        points = plots.read_points(path)
        if points.shape == (len(codes), 2):
            print(f"{path}: is there already and used again")
            return points
    points = plots.embed(codes, seed, steps)
    plots.csv_points(path, "#x,y", points, 6)
    return points


def main(argv):
    (target,), options, overrides = cli.parse(argv, USAGE, OPTIONS)
    name, seed = cli.name_and_seed(target)
    params = experiment.load(name, overrides)
    from tfgan_suite.lis import opening, plots, samples

    folder = samples.Folders(options["save_path"] or params.log_dir).path("tsne_plots")
    sampler = opening.open_networks(params, options["load_path_g"], iteration=options["iteration"]).sampler
    if sampler is None:
        raise UserError(f"{name}: its G has no LIS modules; give a glis or lis_separate experiment")
    for r, codes in enumerate(sampler.vectors(sampler.codes(options["nb_points"], seed, "tsne"))):
        plots.tsne_map(points_of(codes, folder / f"embedded_points_r{r:02d}.csv", seed, options["steps"]), folder, r)
    print(f"Wrote maps after 0 to {sampler.modules} modules into {folder}")


if __name__ == "__main__":
    cli.main(main)
