"""Guard models as judges: models that are trained to tell safe answers from unsafe ones.

Each guard has its own file with its published prompt and reply. `guard_judge` asks the guard about the answers,
`hazards` names the hazards of MLCommons AILuminate that its categories stand for.
"""
