"""The world behind the emulators: a pure function of seed, clock and what was injected."""
