"""De-identification that fails closed: what is not known to be inside the body and free of text is taken out."""
