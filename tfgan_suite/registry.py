"""Which systems there are. Adding one means adding a folder: nothing here names a paper.

A folder of this package that holds a `parameters.py` is a paper. `parameters.py` (no TensorFlow in it) has
`PARAMETERS`, system name -> tuple of `Parameter`; `system.py` beside it has `SYSTEMS`, system name -> `System` class.
"""
from __future__ import annotations

import importlib
from functools import cache
from pathlib import Path


@cache
def folders() -> dict[str, str]:
    """System name -> the package that holds it."""
    found = {}
    for path in sorted(Path(__file__).parent.glob("*/parameters.py")):
        package = f"{__package__}.{path.parent.name}"
        for name in importlib.import_module(f"{package}.parameters").PARAMETERS:
            found[name] = package
    return found


def parameters() -> dict[str, tuple]:
    """System name -> its declared parameters, without importing TensorFlow."""
    return {name: importlib.import_module(f"{package}.parameters").PARAMETERS[name] for name, package in folders().items()}


def system_class(name: str):
    """The `System` class of a system; imports TensorFlow."""
    return importlib.import_module(f"{folders()[name]}.system").SYSTEMS[name]


def optional(name: str, module: str):
    """The module `module` (such as 'convert' or 'bench') of the folder that holds system `name`, or None if it has none."""
    package = folders()[name]
    if not (Path(__file__).parent / package.rsplit(".", 1)[1] / f"{module}.py").is_file():
        return None
    return importlib.import_module(f"{package}.{module}")
