"""What the operating system says: processors that may be used, and signals."""
