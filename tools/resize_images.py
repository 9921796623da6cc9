#!/usr/bin/env python3
"""Makes a folder of square images of one size: ./tools/resize_images.py --load_path=FOLDER
--save_path=FOLDER"""
from pathlib import Path

from tfgan_suite import cli
from tfgan_suite.errors import UserError, naming
from tfgan_suite.experiment import Parameter

USAGE = """./tools/resize_images.py --load_path=FOLDER --save_path=FOLDER [--image_size=80]

Pads every image below load_path with black to a square, scales it and writes it as save_path/NAME.jpg."""

OPTIONS = (
    Parameter("image_size", 80, "side of the results", minimum=1),
    Parameter("load_path", "", "folder of the images; sub-folders count too"),
    Parameter("save_path", "", "folder for the results"),
    Parameter("background", "white", "colour in place of transparent parts, such as black or #808080"),
)


def targets(paths: list, folder: Path) -> dict:
    """File -> its result: NAME.jpg for NAME.* (the original loses the last letter of NAME).

    Raises:
        UserError: two files of one name, in different folders or of different formats.
    """
    found: dict = {}
    for path in paths:
        target = folder / f"{path.stem}.jpg"
        if target in found:
            raise UserError(f"{path}: would overwrite the result of {found[target]}; give the files "
                            f"different names")
        found[target] = path
    return {path: target for target, path in found.items()}


def main(argv):
    _, options, _ = cli.parse(argv, USAGE, OPTIONS, least=0, most=0, first_is_experiment=False)
    for name in ("load_path", "save_path"):
        if not options[name]:
            raise UserError(f"--{name}: is not given; give a folder")
    from tfgan_suite.data import folder, parallel, prepare, rgb
    from tfgan_suite.files import archive
    from tfgan_suite.lis.data import pad_to_square
    from tfgan_suite.pictures import saving

    root, size, background = (
        Path(options["load_path"]),
        options["image_size"],
        rgb.colour(options["background"]),
    )
    if not root.is_dir():
        raise UserError(f"{root}: no such folder; give the folder of the images as --load_path")
    known = targets(folder.find_pictures(root), Path(options["save_path"]))
    if not known:
        raise UserError(f"{root}: holds no pictures; give the folder of the images as --load_path")
    archive.make_folder(options["save_path"])

    def resize(path):
        whole = rgb.read_rgb(path, background=background)
        with naming(path):
            picture = prepare.resize(pad_to_square(whole), size, size)
        saving.save(known[path], picture)

    parallel.in_parallel(resize, known, "resizing")
    print(f"Wrote {len(known)} images of {size}x{size} into {options['save_path']}")


if __name__ == "__main__":
    cli.main(main)
