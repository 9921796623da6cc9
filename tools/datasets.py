#!/usr/bin/env python3
"""Fetches and prepares data sets: ./tools/datasets.py COMMAND ..."""
import sys
from dataclasses import replace
from pathlib import Path

from tfgan_suite import cli
from tfgan_suite.errors import UserError, one_line, quoted
from tfgan_suite.experiment import Parameter

USAGE = """./tools/datasets.py COMMAND ...

  download NAME FOLDER   fetches celebA, lsun, mnist, cifar10 or anime into FOLDER (default: data/NAME),
                         checks and unpacks it
  download NAME NAME ... several, each into data/NAME
  list FOLDER [LIST]     makes a list file, and copies resized to squares, from a folder of your own pictures
  digits FOLDER          writes the embedded digits as PNG files with list.txt and labels.txt
  emoji [LIST]           fetches 3,786 colour pictures of 64x64 (Twemoji, CC-BY 4.0) through npm and puts them
                         on white: data/emoji/ and data/emoji.txt
  split                  divides a data set into training and test images, as the LIS experiments need it
  imagenet SOURCE FOLDER prepares ImageNet, or any set with one folder per class
  pack SOURCE FILE.pack  packs a list's or a folder's pictures into one file, made once, read at once
  export LMDB FOLDER     writes the images of an LSUN database to files
  pyramid FOLDER TARGET  writes a folder of pictures at every resolution that PGGAN trains at, for
  --data_path=TARGET

./tools/datasets.py COMMAND --help shows the options of a command. Every command can be run again after it was
stopped."""


def _download(arguments, options):
    from tfgan_suite.data import download

    for dataset, folder in _wanted(arguments, options["category"]):
        count = download.download(dataset, folder, options["base"], options["check"], options["keep"])
        print(f"{dataset.name}: {count} files written to {folder}"
              if count else f"{dataset.name}: is in {folder} already",
              flush=True)


def _wanted(arguments, category):
    """(data set, folder) of each that is asked for: names of sets, or one name and a folder. A second word
    that is the name of another set means that set; write ./NAME for a folder of that name."""
    from tfgan_suite.data import catalog

    known = {n.lower(): d for n, d in catalog.DATASETS.items()}
    names = [word.lower() for word in arguments]
    alone = len(names) == 2 and (names[1] not in known or names[1] == names[0])
    names = names[:1] if alone else names
    unknown = [word for word, name in zip(arguments, names) if name not in known]
    if unknown:
        raise UserError(f"unknown data set '{unknown[0]}'; there are "
                        f"{', '.join(d.name for d in known.values() if d.archives)}")
    sets = [known[name] for name in dict.fromkeys(names)]
    if category:
        if len(sets) > 1 or sets[0].name != "lsun":
            raise UserError(f"--category: belongs to lsun, {next(d.name for d in sets if d.name != 'lsun')} "
                            "has none; leave it out")
        sets = [_of_category(sets[0], category)]
    return [(dataset, arguments[1] if alone else f"data/{dataset.name}") for dataset in sets]


def _of_category(dataset, category):
    archives = [replace(a, url=a.url.replace("bedroom", category), name=a.name.replace("bedroom", category))
                for a in dataset.archives if "bedroom" in a.name]
    return replace(dataset, archives=tuple(archives))


def _list(arguments, options):
    from tfgan_suite.data.makelist import make_list

    folder, size = arguments[0], options["size"]
    place = Path(folder).resolve()
    name = (
        f"{place.parent.name}-{place.name}" if place.name.isdecimal() else place.name or "pictures"
    )  # 'faces/64'
    listing = (
        arguments[1] if len(arguments) > 1 else f"data/{name}-{size}.txt" if size else f"data/{name}.txt"
    )
    count, bad = make_list(folder, listing, size, _colour(options))
    _show_bad(bad)
    print(f"{count} pictures listed in {listing}" + (f", resized to {size}x{size}" if size else "")
          + "; train on them with")
    run = Path(listing).stem
    print(f"./train.py face12 --lfile={quoted(listing)} --imsz={size or 64} "
          f"--wts_dir={quoted(f'models/{run}')} --log_dir={quoted(f'logs/{run}')}{'' if size else ' --crop'} "
          "--filts=8,2,1,12")


def _colour(options):
    from tfgan_suite.data import rgb

    return rgb.colour(options["background"])


def _show_bad(problems, most=10):
    for line in problems[:most]:
        print(one_line(f"left out: {line}"), file=sys.stderr)
    if len(problems) > most:
        print(f"left out: {len(problems) - most} more", file=sys.stderr)


def _digits(arguments, options):
    from tfgan_suite.data import digits

    size = options["size"]
    print(f"{digits.COUNT} digits of {size}x{size} listed in {digits.export(arguments[0], size)}")


def _emoji(arguments, options):
    from tfgan_suite.data import emoji

    listing = Path(arguments[0] if arguments else "data/emoji.txt")
    count = emoji.make(listing, options["size"], _colour(options))
    print(f"{count} pictures listed in {listing}; Twemoji, CC-BY 4.0: {listing.with_suffix('')}/LICENCE.txt "
          f"says how to name them" if count else f"emoji: are in {listing.with_suffix('')} already")


def _split(_, options):
    from tfgan_suite.lis.data import make_split

    path, parts = make_split(options["dataset"], options["dataroot"], options["lsun_class"],
                             options["running"],
                             options["final"], options["seed"], options["overwrite"])
    print(f"{path}: {len(parts.train)} images to train on, {len(parts.final_test)} for the final test, of "
          f"which {len(parts.running_test)} for the running test")


def _imagenet(arguments, options):
    from tfgan_suite.data import imagenet

    count, bad = imagenet.convert(*arguments, options["mode"], options["size"], _colour(options))
    _show_bad(bad)
    print(f"{count} images prepared in {arguments[1]}"
          + (f", {len(bad)} left out ({imagenet.BAD} says why)" if bad else ""))


def _pack(arguments, _):
    from tfgan_suite.data import pack

    print(f"{pack.make(*arguments)} pictures packed in {arguments[1]}")


def _export(arguments, options):
    from tfgan_suite.data.lsun import export

    print(f"{export(*arguments, options['most'])} images written to {arguments[1]}")


def _pyramid(arguments, options):
    from tfgan_suite.experiment import load
    from tfgan_suite.pggan import prepared, reals

    names = {"endRes": "size", "inputFilter": "filter", "nChannels": "channels", "upscale": "upscale",
             "background": "background"}
    params = load("pggan_faces64").replace(data_path=arguments[0],
                                           **{name: options[own] for name, own in names.items()})
    count = prepared.make(reals.open_source(params), arguments[1], params.endRes, params.inputFilter,
                          params.nChannels, params.background)
    print(f"{count} images at 4x4 to {params.endRes}x{params.endRes} in {arguments[1]}; train on them with")
    print(f"./train.py pggan_faces64 --data_path={quoted(arguments[1])} --endRes={params.endRes} "
          f"--inputFilter={params.inputFilter} --nChannels={params.nChannels}"
          + (f" --background={quoted(params.background)}" if params.background != "white" else ""))


MODES = ("crop", "original", "authors")
LISTED_SIZE = Parameter("size", 64,
                        "side of the square copies; 0 lists the pictures as they are, for crop=True",
                        minimum=0,
                        maximum=4096)
BACKGROUND = Parameter("background", "white",
                       "colour in place of transparent parts, such as black or #808080")
COMMANDS = {  # name: (function, arguments, least and most number of them, options)
    "download": (_download, "NAME [FOLDER | NAME ...]", 1, None, (
        Parameter("base", "", "fetch the files from this address in place of the publisher's"),
        Parameter("check", True, "hold size and checksum to the known ones (--nocheck: do not)"),
        Parameter("keep", False, "keep the archives after unpacking"),
        Parameter("category", "", "of lsun, such as church_outdoor (default: bedroom)"))),
    "list": (_list, "FOLDER [LIST]", 1, 2, (LISTED_SIZE, BACKGROUND)),
    "digits": (_digits, "FOLDER", 1, 1,
               (Parameter("size", 32, "side of the pictures", minimum=1, maximum=512),)),
    "emoji": (_emoji, "[LIST]", 0, 1, (Parameter("size", 64, "side of the pictures", minimum=1, maximum=512),
                                       BACKGROUND)),
    "split": (_split, "", 0, 0, (
        Parameter("dataset", "folder", "cifar10, lsun, imagenet, folder, lfw or digits"),
        Parameter("dataroot", "", "folder of the data, into which the split is written"),
        Parameter("lsun_class", "bedroom", "category of lsun"),
        Parameter("running", 200, "images of the test during training", minimum=1),
        Parameter("final", 2000, "images of the final test; the running test's are among them", minimum=1),
        Parameter("overwrite", False, "replace a split that is there"),
        Parameter("seed", 0, "of the random choice", minimum=0, maximum=2**32 - 1))),
    "imagenet": (_imagenet, "SOURCE FOLDER", 2, 2, (
        Parameter("mode", "crop", "crop: middle square; original: stretched; authors: cover 256 and cut",
                  choices=MODES),
        Parameter("size", 0, "side of the results (0: 128, or 256 with mode=authors)", minimum=0,
                  maximum=4096), BACKGROUND)),
    "pack": (_pack, "SOURCE FILE.pack", 2, 2, ()),
    "export": (_export, "LMDB FOLDER", 2, 2,
               (Parameter("most", 0, "stop after so many images (0: all)", minimum=0),)),
    "pyramid": (_pyramid, "FOLDER TARGET", 2, 2, (
        Parameter("size", 1024, "highest resolution (endRes)",
                  choices=(4, 8, 16, 32, 64, 128, 256, 512, 1024)),
        Parameter("filter", "NEAREST", "inputFilter of the runs",
                  choices=("NEAREST", "BILINEAR", "BICUBIC", "LANCZOS", "BOX")),
        Parameter("channels", 3, "nChannels of the runs", choices=(1, 3)),
        Parameter("upscale", False, "enlarge images below size"), BACKGROUND)),
}


def main(argv):
    name = argv[0] if argv else ""
    if name in ("", "-h", "--help"):
        print(USAGE)
        sys.exit(0 if name else 2)
    if name not in COMMANDS:
        raise UserError(f"unknown command '{name}'; there are {', '.join(COMMANDS)}")
    function, arguments, least, most, options = COMMANDS[name]
    positionals, chosen, _ = cli.parse(argv[1:], f"./tools/datasets.py {name} {arguments}", options, least,
                                       most,
                                       first_is_experiment=False)
    function(positionals, chosen)


if __name__ == "__main__":
    cli.main(main)
