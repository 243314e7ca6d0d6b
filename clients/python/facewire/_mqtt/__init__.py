"""What `facewire mqtt` does: track events to an MQTT broker, Home Assistant and Frigate. Of the extra `facewire[mqtt]`."""
