"""Progressive Growing of GANs (Karras et al., ICLR 2018) as alenmora/ppgan codes it."""
