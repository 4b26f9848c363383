"""The arena: battles, votes, entries, quarantined voters, proposals, and how much each visitor has used."""
