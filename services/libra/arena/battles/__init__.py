"""Battles: their prompts, the choice of the pair, both streams, and what a visitor is shown of them."""
