"""Events in: the tracking API's messages, made one shape and checked."""
