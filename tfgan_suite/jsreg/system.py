"""The three systems of this paper."""
from tfgan_suite.jsreg.dcgan import JSRegDCGAN
from tfgan_suite.jsreg.gan64 import JSRegGan64
from tfgan_suite.jsreg.mixture import JSRegMixture

SYSTEMS = {
    "jsreg_dcgan": JSRegDCGAN,
    "jsreg_gan64": JSRegGan64,
    "jsreg_mixture": JSRegMixture,
}
