"""The three systems of this paper and their parameters. No TensorFlow here."""
from tfgan_suite.jsreg.dcgan_parameters import DCGAN
from tfgan_suite.jsreg.gan64_parameters import GAN64
from tfgan_suite.jsreg.mixture_parameters import MIXTURE

PARAMETERS = {
    "jsreg_dcgan": DCGAN,
    "jsreg_gan64": GAN64,
    "jsreg_mixture": MIXTURE,
}
