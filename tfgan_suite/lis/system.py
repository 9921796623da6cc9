"""The three LIS systems by name."""
from tfgan_suite.lis.glis import GLis
from tfgan_suite.lis.iterative import Iterative
from tfgan_suite.lis.separate import Separate

SYSTEMS = {"glis": GLis, "lis_iterative": Iterative, "lis_separate": Separate}
