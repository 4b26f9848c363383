"""Tags of tasks, samples and attacks in public taxonomies: MLCommons AILuminate, OWASP and MITRE ATLAS.

data/releases.yaml pins the release of each taxonomy. data/tasks.yaml, data/labels.yaml and data/attacks.yaml say which
entries tasks, values of sample fields, and attacks stand for.
"""
