"""What an installed package has beside `tfgan_suite`: the experiments, trained weights, and the scripts that
its console commands run."""
from setuptools import find_packages, setup

BESIDE = {"tfgan_suite.exp": "exp", "tfgan_suite.pretrained": "pretrained", "tfgan_suite.scripts": ".",
          "tfgan_suite.scripts.filts": "filts", "tfgan_suite.scripts.tools": "tools",
          "tfgan_suite.scripts.tools.benchmarks": "tools/benchmarks"}

setup(packages=[*find_packages(include=["tfgan_suite*"]), *BESIDE], package_dir=BESIDE)
