"""Phantom procedures: whole colonoscopies, from outside to the caecum and back, with the truth of every frame."""
