"""What an event tells of the visit that it belongs to: the device, and where the visit came from.

Pure: no database, no network, no clock. What is known of the world stands in `rules.toml`.
"""

from server.recognising.recognise import Recognised, recognise, tells_another

__all__ = ["Recognised", "recognise", "tells_another"]
