"""Three upstreams on loopback, Kalshi, Anthropic and a revenue system, over one seeded world."""
