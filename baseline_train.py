#!/usr/bin/env python3
"""Trains the one-discriminator baseline of an RP-GAN experiment: ./baseline_train.py NAME
[--name=value ...]"""
import train
from tfgan_suite import cli

USAGE = train.USAGE.replace("./train.py", "./baseline_train.py")

if __name__ == "__main__":
    cli.main(lambda argv: train.main(argv, system="rpgan_baseline", usage=USAGE))
