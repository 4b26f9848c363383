"""HTTP to hosts that others name: their addresses are checked, and what they send is limited in size."""
