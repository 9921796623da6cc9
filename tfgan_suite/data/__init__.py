"""Real data: sources, decoding, order, augmentation."""
from tfgan_suite.data.source import ArraySource, Source

__all__ = ["ArraySource", "Source"]
