"""SNGAN as watsonyanghx/GAN_Lib_Tensorflow trains it."""
