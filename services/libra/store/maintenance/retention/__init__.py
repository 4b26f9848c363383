"""Removes old texts from completions, verdicts and battles.

It writes these three collections. Documents stay, with everything that boards, costs and audits need.
"""
