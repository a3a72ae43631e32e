"""From the sources into storage: the only writer of facts, snapshots and rollups."""
