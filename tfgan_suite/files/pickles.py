"""The one reader of pickles from outside: plain values, and stand-ins for the few classes that a format
needs.

A pickle is a program that may call anything. Here it meets nothing real: every name that it asks for is
looked up in the reader's own table, NumPy's types are stand-ins that only remember what they were given, and
state is put into nothing but stand-ins. So a file can run no code, and no pointer or size in it reaches NumPy
unchecked.
"""
from __future__ import annotations

import io
import pickle
import re
from collections import OrderedDict
from collections.abc import Callable, Mapping

import numpy as np

_NUMBERS = re.compile(r"b1|[iu][1248]|f[248]")


class StandIn:
    """An object of a class that is not there: it remembers its state."""

    def __init__(self, *_):
        self.state = None

    def __setstate__(self, state):
        self.state = state

    def field(self, name: str):
        """An attribute that the pickle gave it.

        Raises:
            UnpicklingError: it has none of that name.
        """
        if not isinstance(self.state, dict) or name not in self.state:
            raise pickle.UnpicklingError(f"an object lacks '{name}'")
        return self.state[name]


class TypeStandIn(StandIn):
    """Stands for `numpy.dtype`: the name and the byte order of one kind of plain numbers."""

    def __init__(self, name="", *_):
        super().__init__()
        self.name = name.decode("latin-1") if isinstance(name, bytes) else name

    def dtype(self) -> np.dtype:
        """The type of plain numbers that it names.

        Raises:
            UnpicklingError: anything else: objects, records, text, dates.
        """
        if not isinstance(self.name, str) or not _NUMBERS.fullmatch(self.name):
            raise pickle.UnpicklingError("an array is not of plain numbers")
        order = self.state[1] if isinstance(self.state, tuple) and len(self.state) > 1 else "|"
        return np.dtype(self.name).newbyteorder(">" if order in (">", b">") else "<")


class ArrayStandIn(StandIn):
    """Stands for a NumPy array: its shape, type and bytes."""

    def array(self) -> np.ndarray:
        """The array, made from the bytes that are there.

        Raises:
            UnpicklingError: not of plain numbers, or of other sizes than its bytes.
        """
        if (
            not isinstance(self.state, tuple)
            or len(self.state) != 5
            or not isinstance(self.state[2], TypeStandIn)
        ):
            raise pickle.UnpicklingError("an array lacks its state")
        _, shape, kind, fortran, data = self.state
        data = data.encode("latin-1") if isinstance(data, str) else data
        if not isinstance(data, bytes) or not isinstance(shape, tuple) or not all(type(n) is int and n >= 0
                                                                                  for n in shape):
            raise pickle.UnpicklingError("an array is not of plain numbers")
        flat = np.frombuffer(data, kind.dtype()) if data else np.zeros(0, kind.dtype())
        if flat.size != int(np.prod(shape, dtype=object)):
            raise pickle.UnpicklingError(f"an array of shape {shape} holds {flat.size} numbers")
        return flat.reshape(shape, order="F" if fortran else "C")


def _from_bytes(data, kind, shape, order="C"):
    """What protocol 5 calls to rebuild an array."""
    made = ArrayStandIn()
    made.state = (1, shape, kind, order == "F", bytes(data) if isinstance(data, bytearray) else data)
    return made


def encoded(text, encoding="latin1"):
    """`_codecs.encode` as pickles call it to rebuild bytes, and no other codec."""
    if not isinstance(text, str) or encoding not in ("latin1", "latin-1"):
        raise pickle.UnpicklingError("it names an odd encoding")
    return text.encode("latin-1")


def _plain_object(kind, *_):
    """`copy_reg._reconstructor`: a new object of a class from the table."""
    return kind()


PLAIN = {
    "collections.OrderedDict": OrderedDict, "_codecs.encode": encoded,
    "copy_reg._reconstructor": _plain_object,
    "copyreg._reconstructor": _plain_object, "__builtin__.object": StandIn, "builtins.object": StandIn,
}
NUMPY = {
    **{f"numpy.{core}.multiarray._reconstruct": ArrayStandIn for core in ("core", "_core")},
    **{f"numpy.{core}.numeric._frombuffer": _from_bytes for core in ("core", "_core")},
    "numpy.ndarray": ArrayStandIn, "numpy.dtype": TypeStandIn,
}


class _Name:
    """A name in a pickle: it can be called, and nothing else."""

    __slots__ = ("_function",)

    def __init__(self, function: Callable):
        object.__setattr__(self, "_function", function)

    def __call__(self, *arguments):
        return self._function(*arguments)

    def __setattr__(self, name, value):
        raise pickle.UnpicklingError("it changes a class")


# the one in Python: its opcodes can be replaced, and it never allocates what a file claims
class Reader(pickle._Unpickler):
    """Reads one pickle after the other from bytes.

    Args:
        file: the bytes; what a pickle claims is never more than what is left of them.
        names: 'module.name' -> what is called in its place.
        encoding: of the byte strings of Python 2.
        persistent: what a persistent id stands for; by default there is none.

    Raises:
        Exception: of any kind, from `load`, on broken bytes; `UnpicklingError` for what is refused.
    """

    dispatch = dict(pickle._Unpickler.dispatch)

    def __init__(self, file: io.BytesIO, names: Mapping[str, Callable], encoding: str = "latin-1",
                 persistent: Callable | None = None):
        super().__init__(file, encoding=encoding)
        self._file, self._names, self._persistent = file, names, persistent

    def find_class(self, module, name):
        """The table's entry; dots in a name lead nowhere."""
        if f"{module}.{name}" not in self._names:
            raise pickle.UnpicklingError(f"it names {module[:60]}.{name[:60]}, which is no plain value")
        return _Name(self._names[f"{module}.{name}"])

    def persistent_load(self, identity):
        if self._persistent is None:
            raise pickle.UnpicklingError("it points to something outside of itself")
        return self._persistent(identity)

    def get_extension(self, code):
        raise pickle.UnpicklingError("it uses extension codes")

    def _make(self, arguments, named) -> None:
        if not isinstance(named, _Name) or not isinstance(arguments, tuple):
            raise pickle.UnpicklingError("it calls what is no name")
        self.append(named(*arguments))  # type: ignore[attr-defined]  # the base class makes it while it loads

    def load_reduce(self):
        arguments = self.stack.pop()
        self._make(arguments, self.stack.pop())

    def load_newobj_ex(self):
        keywords, arguments = self.stack.pop(), self.stack.pop()
        if keywords:
            raise pickle.UnpicklingError("it names arguments")
        self._make(arguments, self.stack.pop())

    def _instantiate(self, klass, args):
        self._make(tuple(args), klass)

    def load_build(self):
        state, target = self.stack.pop(), self.stack[-1]
        if not isinstance(target, (StandIn, OrderedDict)):
            raise pickle.UnpicklingError("it changes what is no object of its own")
        # attributes of an ordered dictionary (`_metadata` of a state dict) are dropped
        if isinstance(target, StandIn):
            target.__setstate__(state)

    def load_bytearray8(self):
        size = int.from_bytes(self.read(8), "little")
        if size > len(self._file.getbuffer()):
            raise pickle.UnpicklingError("it claims more bytes than it has")
        self.append(bytearray(self.read(size)))

    for _code, _method in ((pickle.REDUCE, load_reduce), (pickle.NEWOBJ, load_reduce),
                           (pickle.NEWOBJ_EX, load_newobj_ex),
                           (pickle.BUILD, load_build), (pickle.BYTEARRAY8, load_bytearray8)):
        dispatch[_code[0]] = _method
