"""Checkpoints that the original wrote: names, weights, optimiser states, and the samples that they give."""
import numpy as np
import pytest
from golden_files import close, files, folder, load, under
from test_lis import nchw
from test_lis_training import parameters, same_bytes

from tfgan_suite.lis import convert, networks
from tfgan_suite.lis.origins import find, slot_names
from tfgan_suite.lis.system import SYSTEMS


def experiments(kind):
    """Folders of the original's experiments that hold networks of this kind, with a prefix."""
    found = sorted({(p.parent.parent, p.stem.rsplit("_", 1)[0]) for p in folder("lis").rglob(f"net_archive/*_{kind}.pt")})
    return [pytest.param(*f, id=f"{f[0].name}-{f[1]}") for f in found]


def expected():
    """What is known of them."""
    found = files("lis", "files_expected*.npz")
    return load(found[0]) if found else {}


def sizes(gen):
    """(height = width, features, levels, code, modules) from G-LIS' arrays."""
    kernels = [n for n in gen if n.startswith("conv_layers") and gen[n].ndim == 4 and n.endswith("weight")]
    features = gen[max(kernels, key=lambda n: int(n.split(".")[1]))].shape[0]
    levels, (rows, code) = len(kernels), gen["initial_linear.0.weight"].shape
    side = int(round((rows / (features * 2 ** (levels - 1))) ** 0.5)) * 2 ** levels
    return side, features, levels, code, len({n.split(".")[1] for n in gen if n.startswith("lis_layers")})


def flags(gen, **more):
    """A command line for these arrays."""
    side, features, levels, code, modules = sizes(gen)
    return (f"--image_size {side} --nfeature {features} --nlayer {levels} --code_size {code} --r_iterations {modules} "
            f"--norm weight " + " ".join(f"--{k} {v}" for k, v in more.items()))


@pytest.mark.parametrize(("path", "prefix"), experiments("gen"))
def test_generator_discriminator_and_their_optimisers(path, prefix):
    gen, known = convert.network(path, prefix, "g"), expected()
    system = SYSTEMS["glis"](parameters("glis", flags(gen)))
    origin = find(path, prefix)
    for kind in ("g", "d"):
        origin.fill(kind, system.networks[kind])
        stored = origin.slots(kind)
        slots = slot_names(system, kind)
        assert set(stored) <= set(slots)
        assert all(stored[n].size == np.prod(slots[n].shape) for n in stored)
    if prefix != "last" or not known:
        return
    for name, value in system.networks["g"].arrays():
        close(value, known[f"last_gen/{name}"], 0, name)
    for name, value in under(known, "gen_opt_square_avg/").items():
        close(networks.to_file(origin.slots("g")[name]), value, 0, name)
    codes = known["vis_code"]
    for k, images in enumerate(system.all_stages(codes)):
        close(nchw(images), known[f"sample_r{k}_float"], 1e-5, f"after {k} modules")
        same_bytes(images, known[f"sample_r{k}_uint8"], f"bytes after {k} modules")
    last = system.params.r_iterations
    close(system.networks["d"](system.all_stages(codes)[-1]), known[f"dis_of_sample_r{last}"], 1e-5, "D")


@pytest.mark.parametrize(("path", "prefix"), experiments("r"))
def test_reverser_of_a_finished_run(path, prefix):
    known = expected()
    weights = convert.network(path, prefix, "r")
    runs = [p.values[0] for p in experiments("gen")]
    if not runs:
        pytest.skip("no G-LIS run beside it")
    gen = convert.network(runs[0], "last", "g")
    arguments = flags(gen, load_path=runs[0], net="last", spatial_dropout_r=0.1)
    system = SYSTEMS["lis_separate"](parameters("lis_separate", arguments))
    find(path, prefix).fill("r", system.networks["r"])
    assert set(weights) == set(system.networks["r"].shapes())
    if known:
        last = system.params.r_iterations
        code = system.networks["r"](system.stages(known["vis_code"])[0])
        close(code, known["r_code"], 1e-5, "code")
        close(nchw(system.stages(known["vis_code"])[1]), known[f"r_repaired_r{last}"], 1e-5, "repaired")


@pytest.mark.parametrize(("path", "prefix"), experiments("gen"))
def test_conversion_gives_a_whole_checkpoint(path, prefix):
    known = expected()
    params = parameters("glis", flags(convert.network(path, prefix, "g")))
    found = convert.convert(path / convert.ARCHIVE / f"{prefix}_gen.pt", params)
    assert set(found) == {"g", "d", "state"}
    fresh = SYSTEMS["glis"](params)
    assert set(found["state"]) == set(fresh.state())
    squares = [n for n in found["state"] if "square_avg" in n]
    assert squares
    assert any(np.any(found["state"][n]) for n in squares)
    facts = convert.state(path, prefix)
    assert facts["current_iter"] >= 0
    if known and prefix == "last":
        for name in ("current_iter", "best_iter", "current_sample"):
            assert facts[name] == known[f"state_{name}"]
        np.testing.assert_array_equal(facts["index_shuffle"], known["state_index_shuffle"])
