"""Error rates of a running configuration on labeled pictures: what `facewire-server evaluate` computes and reports."""
