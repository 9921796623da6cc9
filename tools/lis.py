#!/usr/bin/env python3
"""Samples, tests and plots of the LIS experiments: ./tools/lis.py COMMAND NAME [options]"""
import json
import sys
from pathlib import Path

from tfgan_suite import cli, experiment, registry
from tfgan_suite.errors import UserError
from tfgan_suite.experiment import Parameter
from tfgan_suite.lis.parameters import SAVE_PATH, results_folder

USAGE = """./tools/lis.py COMMAND ...

  sample      sheets, chains, interpolations and perturbations of samples (lis_sample.py once)
  final-test  the reconstruction test on the final test images (lis_final_test.py)
  density     densities of the codes' components before and after the modules (lis_density.py)
  tsne        t-SNE maps of the codes before and after the modules (lis_tsne.py)
  sweep       Inception scores of all checkpoints (lis_inception_sweep.py)
  history     the losses as a table and a plot (lis_export_history.py)
  plot        compares the losses of runs (lis_plot.py)
  video       the training as an animation (lis_video.py)
  bad         share of bad samples, judged by the digits classifier (lis_bad_samples.py)

Weights are those of the experiment's wts_dir, or (in sample, final-test, density, tsne, sweep) of
--load_path=FOLDER: the wts_dir or --save_path of another run, or an experiment of the original.

./tools/lis.py COMMAND --help shows a command's options,
./tools/lis.py COMMAND NAME --help the experiment's parameters too."""

ITERATION = Parameter("iteration", None, "of the checkpoint in wts_dir (default: the newest)", str)
LOAD_PATH_G = Parameter("load_path_g", "", "weights of G: a file (.npz, .pt) or a folder of checkpoints "
                                           "(default: wts_dir)")


def _lis(params):
    """The parameters, if they are of a LIS experiment.

    Raises:
        UserError: of another system.
    """
    if params.system not in SAVE_PATH:
        raise UserError(f"{params.name}: is an experiment of {params.system}; give one of "
                        f"{', '.join(SAVE_PATH)}")
    return params


# -- sample ------------------------------------------------------------------------------------------------
SAMPLE = """Writes, into sub-folders of save_path, sheets of samples after each number of LIS modules
(after each round, for lis_iterative), chains, interpolations and perturbations; with a reverser
(lis_separate, or --load_path_r) also the samples that it has repaired. Weights come from the
experiment's wts_dir, or from --load_path_g and --load_path_r: files (.npz, or the original's .pt) or
folders of checkpoints."""


def sample(words, options, overrides):
    """The pictures of the original's sample_images scripts."""
    name, seed = cli.name_and_seed(words[0])
    params = _batched(_lis(experiment.load(name, overrides)), 32)
    from tfgan_suite.lis import samples, weights

    folders = samples.Folders(options["save_path"] or Path(params.log_dir) / "sampled")
    opened = weights.open_networks(params, options["load_path_g"], options["load_path_r"],
                                   options["iteration"])
    if options["with_real_images"]:
        if opened.sampler is None or opened.r is None:
            raise UserError("--with_real_images: needs G-LIS and a reverser; give a lis_separate "
                            "experiment or --load_path_r")
        if not options["real_images"]:
            raise UserError("--with_real_images: needs --real_images, the folder of these images (*.jpg)")
        pictures = samples.read_real_images(options["real_images"], *opened.system.sizes.image)
    if opened.sampler is None:
        samples.round_sheets(opened.system, folders, seed, options["sheets"], params.output_scale)
    else:
        samples.sample_sheets(opened.sampler, folders, seed, options["sheets"], params.output_scale)
        samples.interpolations(opened.sampler, folders, seed, options["sheets"])
        samples.perturbations(opened.sampler, folders, seed, options["sheets"])
    if options["with_real_images"]:
        codes = samples.embed(opened.g, opened.r, pictures, options["embed_steps"])
        samples.pictures_of(codes, opened.sampler, folders)
    print(f"Wrote {options['sheets']} pictures of each kind into {folders.root}")


# -- final-test --------------------------------------------------------------------------------------------
FINAL_TEST = """Searches a code for each final test image and writes, into NET_test in save_path
(default: the log folder), K.png with the image beside its reconstruction, and loss.json. --net is best
(by the running test), last, or the iteration of a checkpoint."""


def final_test(words, options, overrides):
    """The reconstruction test of a finished run."""
    name = words[0]
    params = _lis(experiment.load(name, overrides))
    from tfgan_suite.files import archive
    from tfgan_suite.lis import reports, weights
    from tfgan_suite.training import runs

    other = weights.given_folder(params)
    if other or params.system == "lis_separate":  # whose G is that of load_path
        origin = weights.find(other or params.load_path, params.net)
        path, arrays = origin.name, origin.arrays("g")
    else:
        path = reports.tested_file(params)
        arrays = archive.Archive(path)
    system = runs.build(params, training=False)
    system.g_lis.assign(arrays)
    folder = archive.make_folder(Path(options["save_path"]
                                      or results_folder(params)) / f"{params.net}_test")
    reports.final_test(system, system.source().test("final_test"), folder)
    print(f"Wrote the test of {path} into {folder}")


# -- density and tsne --------------------------------------------------------------------------------------
DENSITY = """Prints mean and standard deviation of each component of the noise, and writes into
density_plots in save_path, for component VVV after RR modules, density_rRR_vVVV.csv,
density_all_vVVV.jpg, density_rRR_vVVV.jpg and the same with kernel densities (density_kde_...)."""
TSNE = """Writes tsne_plots/embedded_points_rRR.csv, tsne_0000_rRR.jpg and tsne_0000_rRR_kde.jpg for RR
= 00 (the noise), 01, ... into save_path. Tables of the right length that are there already are used
again; delete them to compute them anew."""


def _batched(params, size: int):
    """The parameters with the batch size of the original's script, unless the command line says another."""
    return params if params.sources.get("batch_size") == "command line" else params.replace(batch_size=size)


def _sampler(words, options, overrides):
    """(sampler, seed, parameters) of an experiment whose G has LIS modules."""
    name, seed = cli.name_and_seed(words[0])
    params = _batched(experiment.load(name, overrides), 256)
    from tfgan_suite.lis import weights

    sampler = weights.open_networks(params, options["load_path_g"], iteration=options["iteration"]).sampler
    if sampler is None:
        raise UserError(f"{name}: its G has no LIS modules; give a glis or lis_separate experiment")
    return sampler, seed, params


def density(words, options, overrides):
    """Densities of single components of the codes before and after each module."""
    sampler, seed, params = _sampler(words, options, overrides)
    from tfgan_suite.files.archive import make_folder
    from tfgan_suite.lis import plots

    folder = make_folder(Path(options["save_path"] or params.log_dir) / "density_plots")
    vectors = sampler.vectors(sampler.codes(options["nb_points"], seed, "density"))
    for v, (mean, deviation) in enumerate(zip(vectors[0].mean(axis=0), vectors[0].std(axis=0))):
        print(f"component {v}: mean {mean:.6f}, standard deviation {deviation:.6f}")
    plots.densities(vectors, folder, options["components"])
    print(f"Wrote densities after 0 to {sampler.modules} modules into {folder}")


def tsne(words, options, overrides):
    """Maps of the codes before and after each module."""
    sampler, seed, params = _sampler(words, options, overrides)
    from tfgan_suite.files.archive import make_folder
    from tfgan_suite.lis import plots

    folder = make_folder(Path(options["save_path"] or params.log_dir) / "tsne_plots")
    vectors = sampler.vectors(sampler.codes(options["nb_points"], seed, "tsne"))
    maps = [plots.map_of(codes, folder / f"embedded_points_r{r:02d}.csv", seed, options["steps"])
            for r, codes in enumerate(vectors)]
    for r, points in enumerate(maps):
        plots.tsne_map(points, folder, r, plots.reach_of(maps))
    print(f"Wrote maps after 0 to {sampler.modules} modules into {folder}")


# -- sweep -------------------------------------------------------------------------------------------------
SWEEP = """Writes inception-scores.csv, inception-scores-best.txt, inception-history.json, inception.jpg
and, for the training images, inception-scores-real-data.csv into save_path. Needs the 2015 Inception
graph, see tools/evaluate.py --help."""
DAMAGES = ("none", "dropout", "gaussian-noise", "piecewise-affine", "vertical-flips")


def sweep(words, options, overrides):
    """Inception scores of all checkpoints of a G-LIS run, after each number of modules."""
    name, seed = cli.name_and_seed(words[0])
    params = experiment.load(name, overrides)
    if params.system != "glis":
        raise UserError(f"{name}: is an experiment of {params.system}; the sweep is over the checkpoints "
                        "of a glis experiment")
    params = _batched(params, 50)
    from tfgan_suite.files import archive
    from tfgan_suite.lis import inception_sweep
    from tfgan_suite.metrics import graph_file
    from tfgan_suite.metrics.inception import Inception

    split_size = options["inception_images"] // options["nb_splits"]
    if split_size < 1:
        raise UserError("--inception_images: is less than --nb_splits; give more images")
    graph = Inception(graph_file.find(options["graph"], options["graph_sha256"], options["download"]))
    folder = archive.make_folder(options["save_path"] or params.log_dir)
    judge = inception_sweep.Judge(lambda x: graph.judge(x)[1], options["nb_splits"], split_size,
                                  options["inception_batch_size"], options["augment"], seed)
    system = inception_sweep.sweep(params, judge, folder, options["every_nth_checkpoint"],
                                   options["train_mode"])
    if options["inception_images_real"]:
        score = inception_sweep.real_scores(judge, system.source(), options["inception_images_real"])
        inception_sweep.write_real(folder, max(system.sizes.image), score)
    print(f"Wrote the scores into {folder}")


# -- history and plot --------------------------------------------------------------------------------------
HISTORY = """Writes history.csv, a row per iteration and a column per loss, and plots it as loss.jpg.
The history is that of experiment NAME, or of a *_state.pt file of the original."""
PLOT = """Reads log/loss_N.npz (or the original's log/loss_N.pt) of each run and writes one plot with a
line per run. A run is an experiment, or the folder that its results went to; '--load_paths RUN RUN' is
understood too."""


def history(words, options, overrides):
    """The losses of a run as a table."""
    if bool(words) == bool(options["load_path_state"]):
        raise UserError("give either an experiment or --load_path_state, a file with a history")
    from tfgan_suite.files import archive
    from tfgan_suite.lis import history as histories
    from tfgan_suite.lis import plots

    path, declared = Path(options["load_path_state"]), ()
    if words:
        params = _lis(experiment.load(words[0], overrides))
        path = Path(params.log_dir) / "metrics.jsonl"
        declared = registry.system_class(params.system).history_lines(params)
    original = path.suffix == ".pt"
    found = histories.from_original(path) if original else histories.from_metrics(path, declared)
    if found.empty:
        raise UserError(f"{path}: holds no losses of a LIS run; was it one, and has it run for "
                        "--log_every iterations?")
    folder = archive.make_folder(options["save_path"] or path.parent)
    text = found.csv(options["start"], options["end"], options["subsample"], options["kernel_size"])
    archive.write_bytes(folder / "history.csv", text.encode())
    plots.losses(found, folder / "loss.jpg")
    print(f"Wrote {text.count(chr(10))} rows to {folder / 'history.csv'}")


def folder_of(run: str) -> Path:
    """Where a run's `log` folder lies."""
    if Path(run).is_dir():
        return Path(run)
    if run not in experiment.names():
        raise UserError(f"{run}: is neither a folder nor an experiment; give one with log/loss_N.npz files")

    return results_folder(experiment.load(run))


def plot(words, options, _):
    """Compares the losses of runs in one plot."""
    words = ([options["load_paths"]] if options["load_paths"] else []) + words
    if not words:
        raise UserError("no run is given; name experiments or folders with log/loss_N.npz files")
    from tfgan_suite.lis import history as histories
    from tfgan_suite.lis import plots
    from tfgan_suite.pictures import saving

    saving.check_output(options["save_path"])
    lines = {run: histories.table_points(histories.read_tables(folder_of(run)), options["type"],
                                         options["interval"])
             for run in words}
    plots.compare(lines, options["save_path"], f"{options['type']} loss")
    print(f"Wrote {options['save_path']}")


# -- video -------------------------------------------------------------------------------------------------
VIDEO = """Joins the pictures that the run wrote every vis_interval iterations: on the left the images
of the bare noise (of the first round; of G), on the right those after the last LIS module (after the
last round; after R)."""


def video(words, options, overrides):
    """A run's training as an animation."""
    params = _lis(experiment.load(words[0], overrides))
    from tfgan_suite.lis import video as videos
    from tfgan_suite.pictures import movies

    folder = options["load_path"] or results_folder(params)
    videos.pairs(folder)  # there must be some
    target = options["save_path"] or Path(folder) / f"training{movies.endings()[0]}"
    pictures = videos.frames(folder, options["every"], not options["after_only"])
    print(f"Wrote {movies.save(target, pictures, options['milliseconds'])} frames to {target}")


# -- bad ---------------------------------------------------------------------------------------------------
BAD = """For a LIS experiment, or gan with lis_modules, on digits: prints, for each number of executed modules
(each round; before and after R), the share of samples in which the classifier's confidence is below the
threshold; writes bad_samples.json and worst_samples.png, the 64 worst, into save_path. SEED: of the codes."""


def bad(words, options, overrides):
    """Share of bad samples before and after the modules."""
    name, seed = cli.name_and_seed(words[0])
    params = experiment.load(name, overrides)
    from tfgan_suite.files import archive
    from tfgan_suite.lis import samples, weights
    from tfgan_suite.metrics import bad_samples, digits
    from tfgan_suite.pictures import saving
    from tfgan_suite.training import runs

    folder = archive.make_folder(options["save_path"] or params.log_dir)
    if params.system in weights.SAVE_PATH:
        system = weights.open_networks(params, iteration=options["iteration"]).system
    else:
        system, _ = runs.open_sampler(params, options["iteration"])
    stages = system.all_stages(system.latents(options["n"], seed), system.labels(options["n"], seed))
    confidence = bad_samples.confidences(stages, digits.classifier())
    rows = bad_samples.table(confidence, options["threshold"])
    print(f"{name}: {options['n']} samples, bad means confidence < {options['threshold']}")
    print("stage      bad     mean   mended   spoilt")
    for row in rows:
        print("{stage:5d} {bad:8.4f} {mean:8.4f} {mended:8.4f} {spoilt:8.4f}".format(**row))
    known = [{k: v if v == v else None for k, v in row.items()} for row in rows]  # JSON knows no NaN
    about = {"experiment": name, "seed": seed, "stages": known, **{k: options[k] for k in ("n", "threshold")}}
    archive.write_bytes(folder / "bad_samples.json", json.dumps(about, indent=1).encode())
    saving.save(folder / "worst_samples.png", samples.worst(stages, confidence), options["scale"])


# -- all of them -------------------------------------------------------------------------------------------
COMMANDS = {  # name: (function, arguments, help, options)
    "sample": (sample, "NAME[,SEED]", SAMPLE, (
        Parameter("save_path", "", "where the pictures go (default: sampled in the log folder)"),
        Parameter("load_path_g", "", "weights of G"),
        Parameter("load_path_r", "", "weights of R"),
        ITERATION,
        Parameter("sheets", 20, "how many of each kind", minimum=1),
        Parameter("with_real_images", False, "also find the codes of real images (needs R) and draw their "
                                             "neighbourhood"),
        Parameter("real_images", "", "folder of these images (*.jpg)"),
        Parameter("embed_steps", 100000, "steps of the search for their codes", minimum=0))),
    "final-test": (final_test, "NAME", FINAL_TEST, (
        Parameter("save_path", "", "where NET_test goes (default: where the experiment's pictures are)"),)),
    "density": (density, "NAME[,SEED]", DENSITY, (
        Parameter("save_path", "", "where density_plots goes (default: the log folder)"), LOAD_PATH_G,
        ITERATION,
        Parameter("nb_points", 500000, "codes", minimum=1),
        Parameter("components", 50, "how many components", minimum=1))),
    "tsne": (tsne, "NAME[,SEED]", TSNE, (
        Parameter("save_path", "", "where tsne_plots goes (default: the log folder)"), LOAD_PATH_G,
        ITERATION,
        Parameter("nb_points", 17500, "codes in a map", minimum=4),
        Parameter("steps", 10000, "most iterations of t-SNE", minimum=250))),
    "sweep": (sweep, "NAME[,SEED]", SWEEP, (
        Parameter("save_path", "", "where the results go (default: the log folder)"),
        Parameter("inception_batch_size", 50, "images judged at a time", minimum=1),
        Parameter("nb_splits", 10, "parts of the score", minimum=1),
        Parameter("inception_images", 50000, "samples judged for each checkpoint and number of modules",
                  minimum=1),
        Parameter("inception_images_real", 50000, "training images judged; 0: none", minimum=0),
        Parameter("every_nth_checkpoint", 1, "judge only every n-th checkpoint", minimum=1),
        Parameter("augment", "none", "damage done to all images first", choices=DAMAGES),
        Parameter("train_mode", False, "G uses the statistics of each batch, as in the original's script"),
        Parameter("graph", "", "file classify_image_graph_def.pb"),
        Parameter("graph_sha256", "", "SHA-256 that the graph file must have, if it is another one than "
                                      "the original's"),
        Parameter("download", False, "fetch the graph into the cache folder if it is not there"))),
    "history": (history, "[NAME]", HISTORY, (
        Parameter("load_path_state", "", "metrics.jsonl of a run, or a *_state.pt file of the original, "
                                         "in place of NAME"),
        Parameter("save_path", "", "folder for the table and the plot (default: the log folder; with a "
                                   "file: where that is)"),
        Parameter("start", 0, "first row that is written", minimum=0),
        Parameter("end", -1, "first row that is not written any more; -1: all are"),
        Parameter("subsample", 1, "only rows divisible by it are written", minimum=1),
        Parameter("kernel_size", 101, "rows of the moving average; 1: none", minimum=1))),
    "plot": (plot, "RUN...", PLOT, (
        Parameter("load_paths", "", "a run"),
        Parameter("type", "test", "what is plotted",
                  choices=("test", "dis", "dis-real", "dis-fake", "gen")),
        Parameter("interval", 100, "iterations of which a point is the mean (not for test)", minimum=1),
        Parameter("save_path", "plot.png", "the picture, .png or .jpg"))),
    "video": (video, "NAME", VIDEO, (
        Parameter("save_path", "",
                  "the file, .mp4 (with imageio-ffmpeg or av) or .gif (default: training.mp4 or .gif beside "
                                   "the pictures)"),
        Parameter("every", 1, "only every n-th picture", minimum=1),
        Parameter("after_only", False, "only the pictures after the last module, not both beside each "
                                       "other"),
        Parameter("load_path", "", "folder of the pictures (default: where the experiment writes them)"),
        Parameter("milliseconds", 200, "of a frame", minimum=20))),
    "bad": (bad, "NAME[,SEED]", BAD, (
        Parameter("save_path", "", "where the results go (default: the log folder)"), ITERATION,
        Parameter("n", 5000, "samples", minimum=1),
        Parameter("threshold", 0.9, "least confidence of a good sample", minimum=0.0, maximum=1.0),
        cli.SCALE)),
}


def main(argv):
    name = argv[0] if argv else ""
    if name in ("", "-h", "--help"):
        print(USAGE)
        sys.exit(0 if name else 2)
    if name not in COMMANDS:
        raise UserError(f"unknown command '{name}'{experiment.nearest(name, COMMANDS)}; there are "
                        f"{', '.join(COMMANDS)}")
    function, arguments, about, options = COMMANDS[name]
    usage = f"./tools/lis.py {name} {arguments} [--name=value ...]\n\n{about}"
    least, most = {"[NAME]": (0, 1), "RUN...": (0, None)}.get(arguments, (1, 1))
    function(*cli.parse(argv[1:], usage, options, least, most, first_is_experiment=name != "plot"))


if __name__ == "__main__":
    cli.main(main)
