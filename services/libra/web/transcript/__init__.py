"""Shows one trial: its address, the filters of its list, and what an attack changed in its conversation."""
