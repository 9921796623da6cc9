#!/usr/bin/env python3
"""Inception scores of all checkpoints of a G-LIS run, after each number of modules: ./tools/lis_inception_sweep.py NAME"""

from tfgan_suite import cli, experiment
from tfgan_suite.errors import UserError
from tfgan_suite.experiment import Parameter

USAGE = """./tools/lis_inception_sweep.py NAME[,SEED] [--save_path=FOLDER]

Writes inception-scores.csv, inception-scores-best.txt, inception-history.json, inception.jpg and, for the training images,
inception-scores-real-data.csv into save_path. Needs the 2015 Inception graph, see tools/evaluate.py --help."""

DAMAGES = ("none", "dropout", "gaussian-noise", "piecewise-affine", "vertical-flips")
OPTIONS = (
    Parameter("save_path", "", "where the results go (default: the log folder)"),
    Parameter("inception_batch_size", 50, "images judged at a time", minimum=1),
    Parameter("nb_splits", 10, "parts of the score", minimum=1),
    Parameter("inception_images", 50000, "samples judged for each checkpoint and number of modules", minimum=1),
    Parameter("inception_images_real", 50000, "training images judged; 0: none", minimum=0),
    Parameter("every_nth_checkpoint", 1, "judge only every n-th checkpoint", minimum=1),
    Parameter("augment", "none", "damage done to all images first", choices=DAMAGES),
    Parameter("train_mode", False, "G uses the statistics of each batch, as in the original's script"),
    Parameter("graph", "", "file classify_image_graph_def.pb"),
    Parameter("graph_sha256", "", "SHA-256 that the graph file must have, if it is another one than the original's"),
    Parameter("download", False, "fetch the graph into the cache folder if it is not there"),
)


def sweep(params, judge, options, folder):
    """Scores the checkpoints one after the other; the files are renewed after each."""
    from tfgan_suite.files.checkpoints import Checkpoints
    from tfgan_suite.lis import inception_sweep, opening

    files, rows = Checkpoints(params.wts_dir), []
    numbers = files.numbers("g")[::options["every_nth_checkpoint"]]
    if not numbers:
        raise UserError(f"{params.wts_dir}: holds no checkpoint to score; make one with ./train.py {params.name}")
    for number in numbers:
        opened = opening.open_networks(params, iteration=number, train_mode=options["train_mode"])
        rows.append((number, str(files.path("g", number)), inception_sweep.fake_scores(judge, opened.sampler)))
        print(f"iteration {number}: " + ", ".join(f"g{k} {mean:.4f}" for k, (mean, _) in enumerate(rows[-1][2])), flush=True)
        inception_sweep.write_fake(folder, rows)
    return opened.system


def main(argv):
    (target,), options, overrides = cli.parse(argv, USAGE, OPTIONS)
    name, seed = cli.name_and_seed(target)
    params = experiment.load(name, overrides)
    if params.system != "glis":
        raise UserError(f"{name}: is an experiment of {params.system}; the sweep is over the checkpoints of a glis experiment")
    from tfgan_suite.files import archive
    from tfgan_suite.lis import inception_sweep
    from tfgan_suite.metrics import graph_file
    from tfgan_suite.metrics.inception import Inception

    split_size = options["inception_images"] // options["nb_splits"]
    if split_size < 1:
        raise UserError("--inception_images: is less than --nb_splits; give more images")
    graph = Inception(graph_file.find(options["graph"], options["graph_sha256"], options["download"]))
    folder = archive.make_folder(options["save_path"] or params.log_dir)
    judge = inception_sweep.Judge(lambda x: graph.old(x)[1], options["nb_splits"], split_size,
                                  options["inception_batch_size"], options["augment"], seed)
    system = sweep(params, judge, options, folder)
    if options["inception_images_real"]:
        score = inception_sweep.real_scores(judge, system.source(), options["inception_images_real"])
        inception_sweep.write_real(folder, max(system.sizes.image), score)
    print(f"Wrote the scores into {folder}")


if __name__ == "__main__":
    cli.main(main)
