#!/usr/bin/env python3
"""Stores population statistics of the batch norms: ./fixbn.py NAME [ITERATION]"""
from tfgan_suite import cli
from tfgan_suite.errors import UserError
from tfgan_suite.experiment import Parameter, load

USAGE = """./fixbn.py NAME [ITERATION] [--n=2048] [--fixbn_seed=0]

Runs the generator of the newest checkpoint (or of ITERATION) once on n latents and writes its weights
together with the batch-norm statistics of that pass to wts_dir/iter_N.bgmodel.npz, which interp.py reads."""

OPTIONS = (
    Parameter("n", 2048, "latents in the pass", minimum=2),
    Parameter("fixbn_seed", 0, "seed of the latents", minimum=0, maximum=2**32 - 1),
)


def main(argv):
    positionals, options, overrides = cli.parse(argv, USAGE, OPTIONS, least=1, most=2)
    params = load(positionals[0], overrides)
    from tfgan_suite.files import archive, checkpoints
    from tfgan_suite.training import runs

    system, number = runs.open_sampler(params, positionals[1] if len(positionals) > 1 else None, quiet=False,
                                       own=True)
    if not system.frozen:
        raise UserError(f"{params.name}: system {params.system} needs no fixbn.py; its interpolations use G "
                        f"as it is")
    print("Running forward pass.", flush=True)
    arrays = system.population_statistics(options["n"], options["fixbn_seed"])
    path = checkpoints.Checkpoints(params.wts_dir).path(system.frozen, number)
    print(f"Saving to {path}.", flush=True)
    archive.write(path, arrays.items())
    print("Done!\n", flush=True)


if __name__ == "__main__":
    cli.main(main)
