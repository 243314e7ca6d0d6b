"""Scheduling: work slots, memory, deadlines, threads, and waiting for a condition."""
