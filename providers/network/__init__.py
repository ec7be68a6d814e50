"""How a provider is reached: proxies, certificates, and the way made of them."""
