"""On-disk layouts, a file each. A layout is read in place; nothing is copied or renamed."""
