"""The three systems of this paper and their parameters. No TensorFlow here."""
from tfgan_suite.jsreg.dcgan_parameters import DCGAN
from tfgan_suite.jsreg.mixture_parameters import MIXTURE

PARAMETERS = {
    "jsreg_dcgan": DCGAN,
    "jsreg_mixture": MIXTURE,
}
