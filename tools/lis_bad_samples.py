#!/usr/bin/env python3
"""Share of bad samples before and after the LIS modules, judged by the digits classifier: ./tools/lis_bad_samples.py NAME"""
import json

from tfgan_suite import cli, experiment
from tfgan_suite.experiment import Parameter

USAGE = """./tools/lis_bad_samples.py NAME[,SEED] [--n=5000] [--threshold=0.9]

For a LIS experiment on digits: prints, for each number of executed modules (each round; before and after R), the share of
samples in which the classifier's confidence is below the threshold; writes bad_samples.json and worst_samples.png, the 64
worst samples with all their stages, into save_path. SEED picks the codes."""

OPTIONS = (
    Parameter("save_path", "", "where the results go (default: the log folder)"),
    Parameter("iteration", None, "of the checkpoint (default: the newest)", str),
    Parameter("n", 5000, "samples", minimum=1),
    Parameter("threshold", 0.9, "least confidence of a good sample", minimum=0.0, maximum=1.0),
)


def main(argv):
    (target,), options, overrides = cli.parse(argv, USAGE, OPTIONS)
    name, seed = cli.name_and_seed(target)
    params = experiment.load(name, overrides)
    from tfgan_suite.files import archive
    from tfgan_suite.lis import bad_samples, opening
    from tfgan_suite.metrics import digits
    from tfgan_suite.pictures import saving

    folder = archive.make_folder(options["save_path"] or params.log_dir)
    system = opening.open_networks(params, iteration=options["iteration"]).system
    stages = system.all_stages(system.latents(options["n"], seed))
    confidence = bad_samples.confidences(stages, digits.classifier())
    rows = bad_samples.table(confidence, options["threshold"])
    print(f"{name}: {options['n']} samples, bad means confidence < {options['threshold']}")
    print("stage      bad     mean   mended   spoilt")
    for row in rows:
        print("{stage:5d} {bad:8.4f} {mean:8.4f} {mended:8.4f} {spoilt:8.4f}".format(**row))
    rows = [{key: value if value == value else None for key, value in row.items()} for row in rows]  # JSON knows no NaN
    about = {"experiment": name, "n": options["n"], "seed": seed, "threshold": options["threshold"], "stages": rows}
    archive.write_bytes(folder / "bad_samples.json", json.dumps(about, indent=1).encode())
    saving.save(folder / "worst_samples.png", bad_samples.worst(stages, confidence))


if __name__ == "__main__":
    cli.main(main)
