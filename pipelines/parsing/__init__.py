"""Bytes of a document in, its canonical text with spans out. Start at `sandbox.ParsePool`."""
