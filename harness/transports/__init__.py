"""httpx transports with one interface: what answers instead of, or beside, the network."""
