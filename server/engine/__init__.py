"""The shard loop: what has happened and what is due goes in, facts and state and aggregates come out."""
