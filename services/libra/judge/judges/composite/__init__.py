"""Judges that use other judges. They receive these as arguments and never import the registry."""
