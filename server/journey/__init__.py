"""The subject itself, pure: what a journey is, whether it is sound, and what a run does next.

No I/O and no clock of its own: whoever calls says what time it is and what is known of the user.
Times are whole milliseconds since the epoch, UTC.
"""
