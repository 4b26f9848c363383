"""What a caller may see and change, and which keys a model may use."""
