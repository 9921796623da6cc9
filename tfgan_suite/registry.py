"""Which systems there are. Adding one means adding a folder: nothing here names a paper.

A folder at any depth of this package that holds a `parameters.py` is a program. `parameters.py` (no
TensorFlow in it) has `PARAMETERS`, system name -> tuple of `Parameter`; `system.py` beside it has `SYSTEMS`,
system name -> `System` class.
"""
from __future__ import annotations

import importlib.util
from functools import cache
from pathlib import Path


@cache
def folders() -> dict[str, str]:
    """System name -> the package that holds it."""
    found = {}
    root = Path(__file__).parent
    for path in sorted(root.rglob("parameters.py")):
        package = ".".join((__package__, *path.parent.relative_to(root).parts))
        for name in importlib.import_module(f"{package}.parameters").PARAMETERS:
            found[name] = package
    return found


def parameters() -> dict[str, tuple]:
    """System name -> its declared parameters, without importing TensorFlow."""
    return {name: importlib.import_module(f"{package}.parameters").PARAMETERS[name] for name,
            package in folders().items()}


def system_class(name: str):
    """The `System` class of a system; imports TensorFlow."""
    return importlib.import_module(f"{folders()[name]}.system").SYSTEMS[name]


def optional(name: str, module: str):
    """The module `module` (such as 'convert') of the folder that holds system `name`, or None if it has
    none."""
    package = folders()[name]
    if importlib.util.find_spec(f"{package}.{module}") is None:
        return None
    return importlib.import_module(f"{package}.{module}")
