"""Flags as the README of the original writes them."""
import pytest
from pggan_support import make_params

from tfgan_suite import cli
from tfgan_suite.errors import UserError


def parsed(*words):
    """(positional arguments, parameters) of a command line for `digits_pggan`."""
    positionals, _, given = cli.parse(["digits_pggan", *words], "usage")
    return positionals, given


@pytest.mark.parametrize("words", [["--resumeTraining", "64", "900000"], ["--resumeTraining=64 900000"],
                                   ["--resumeTraining", "64 900000"], ["--resumeTraining=64,900000"]])
def test_two_words(words):
    """`--resumeTraining 64 900000` takes both, and the experiment may stand behind them."""
    positionals, given = parsed(*words)
    assert positionals == ["digits_pggan"] and given["resumeTraining"].replace(",", " ") == "64 900000"
    assert cli.parse([*words, "digits_pggan"], "usage")[0] == ["digits_pggan"]


def test_one_word_is_told():
    """The second number is not swallowed from elsewhere."""
    _, given = parsed("--resumeTraining", "64")
    with pytest.raises(UserError, match="such as 64,1200000"):
        make_params(**given)


@pytest.mark.parametrize("value, mode", [("True", 1), ("False", 0), (True, 1), (False, 0), ("2", 2),
                                         ("None", None)])
def test_paterm(value, mode):
    """The README's words are what `int` makes of them."""
    assert make_params(paterm=value).paterm == mode
    if isinstance(value, str):
        assert make_params(**parsed("--paterm", value)[1]).paterm == mode


def test_a_file_of_weights_is_no_value():
    """The first word that belongs to no option."""
    from tfgan_suite.experiment import Parameter

    options = (Parameter("n", 1, ""), Parameter("on", False, ""))
    for words, first in ((["--n", "3", "x"], "x"), (["--on", "x"], "x"), (["--n=3"], ""), (["a", "--n",
                                                                                            "3"], "a")):
        assert cli.positional_of(words, options) == first
