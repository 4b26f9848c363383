"""Over-refusal against harm, for each model."""
