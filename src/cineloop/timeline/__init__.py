"""What a procedure is, frame after frame: labels, signals over time, and the filters that work on them."""
