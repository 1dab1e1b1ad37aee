"""What takes part in a pass: models of frames, a model of clips, and what keeps small pictures."""
