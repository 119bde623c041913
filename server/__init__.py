"""The engine room of Sojourn: what comes in, what happens, what goes out, and the answers about it."""
