"""Where facts come from: each source reads one upstream, all have the same methods."""
