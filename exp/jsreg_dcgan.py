"""JS-regularised DCGAN with the defaults of the original: main.py without flags (64x64 CelebA); any
--dataset=NAME."""
system = 'jsreg_dcgan'
