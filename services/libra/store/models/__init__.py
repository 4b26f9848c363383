"""The registered models, and what the gateways know of them: health, parking, keys and adjustments."""
