"""The types of the native half; the package `leveret` is the public face."""

__version__: str
