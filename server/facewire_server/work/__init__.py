"""Who works when: slots, memory, time, and waiting for a condition."""
