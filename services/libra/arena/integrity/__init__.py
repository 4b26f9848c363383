"""Protection of the votes: ballots, limits, proof of work, near-duplicate prompts, and the quarantine of voters."""
