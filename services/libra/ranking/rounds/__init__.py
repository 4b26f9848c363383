"""Reports about rounds: whether models know published samples, and whether two rounds rank models alike."""
