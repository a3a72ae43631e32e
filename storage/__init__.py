"""Where it rests: facts, snapshots and rollups in one database, and the one door to read them."""
