"""Understands which part of a request an endpoint refuses, from its error in whatever form. Pure."""
