"""One camera: what its frames show, who is in front of it, and what has changed."""
