"""Multi-turn attacks: an attacker model writes prompts, the target answers, and a judge model scores each answer."""
