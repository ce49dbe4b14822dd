"""leveret: an MQTT client with a local post office."""

from leveret._native import __version__

__all__ = ["__version__"]
