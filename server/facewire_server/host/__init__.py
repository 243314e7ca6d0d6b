"""What this process reads from the operating system: usable processors, and signals."""
