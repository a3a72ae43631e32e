"""Kalshi's trade API v2 as seen on the wire, REST only."""
