"""Transparent pictures, as every system that reads pictures is given them: the background shows, not what
is hidden under it."""
import numpy as np
import pytest
from PIL import Image

from tfgan_suite.data import rgb
from tfgan_suite.errors import UserError
from tfgan_suite.experiment import load
from tfgan_suite.lis.data import make_split
from tfgan_suite.training import runs

LIS = {"dataset": "folder", "image_size": 16, "nfeature": 2, "code_size": 4, "vis_size": 1}
READERS = {  # experiment -> (options that name the pictures, further options)
    "digits": (lambda where: {"lfile": where / "list.txt"},
               {"imsz": 16, "f1": 4, "df": 2, "filts": "4,2,1,1"}),
    "digits_any": (lambda where: {"data": where}, {"imsz": 16, "width_g": 2, "width_d": 2}),
    "sngan_cifar10_uncond": (lambda where: {"DATA_DIR": where},
                             {"DATASET": "folder", "NETWORK": "digits", "DIM_G": 2, "DIM_D": 2}),
    "sngan_projection_cifar10_uncond": (lambda where: {"data_dir": where},
                                        {"dataset": "imagenet", "gen_ch": 2, "dis_ch": 2}),
    "digits_pggan": (lambda where: {"data_path": where},
                     {"endRes": 8, "fmapBase": 8, "fmapMax": 4, "batch_table": "4:4,8:4"}),
    "digits_jsreg": (lambda where: {"data_dir": where.parent, "dataset": where.name},
                     {"input_fname_pattern": "*.png", "input_height": 16, "output_height": 16, "gf_dim": 2,
                      "batch_size": 2, "df_dim": 2, "gfc_dim": 4, "dfc_dim": 4}),
    "jsreg_gan64": (lambda where: {"data_dir": where.parent, "dataset": where.name},
                    {"architecture": "DCGAN", "DIM": 2, "batch_size": 2}),
    "digits_glis": (lambda where: {"dataroot": where}, LIS),
    "digits_lis_iterative": (lambda where: {"dataroot": where}, LIS),
}


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """Eight pictures of noise under alpha 0, in one folder without classes, with a list."""
    where = tmp_path_factory.mktemp("set") / "logos"
    where.mkdir()
    draw = np.random.default_rng(0)
    for i in range(8):
        noise = draw.integers(0, 256, (16, 16, 4), np.uint8)
        noise[..., 3] = 0
        Image.fromarray(noise).save(where / f"{i}.png")
    (where / "list.txt").write_text("".join(f"{where}/{i}.png\n" for i in range(8)))
    make_split("folder", str(where), running=1, final=2)
    return where


@pytest.mark.parametrize("name", READERS)
def test_the_background_shows(pictures, name):
    place, more = READERS[name]

    def first(**background):
        given = {k: str(v) for k, v in {**place(pictures), **more, **background}.items()}
        system = runs.build(load(name, given), training=False)
        return system.params, system.source().image(0)

    params, shown = first(background="#102030")
    stretched = params.system == "jsreg_dcgan"  # its stretch of contrast, as the original's
    colours = np.unique(shown.reshape(-1, 3), axis=0)
    assert np.array_equal(colours, [[0, 128, 255] if stretched else [16, 32, 48]])
    params, shown = first()
    if params.background is None:
        assert np.ptp(shown) > 200  # the original's decoding, which a line on stderr tells
    else:
        assert params.background == "white" and np.ptp(shown) == 0


def test_no_colour():
    with pytest.raises(UserError, match="background=whit: is no colour"):
        load("digits_any", {"background": "whit"})
    assert rgb.colour("black") == (0, 0, 0)
