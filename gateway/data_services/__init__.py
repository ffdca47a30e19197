"""The road to data services: contracts, limits, breaker, cache, the call itself. All of it in memory."""
