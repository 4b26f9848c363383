"""The arena: visitors attack two models whose names they do not know, and vote on which is safer and more helpful.

Models are asked through gateway, and prompts attacked by attack, both over gRPC. Battles and votes are in the store;
ratings are kept in memory and can be computed from the votes alone.
"""
