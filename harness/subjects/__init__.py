"""The clients under test. Ours is the first, and goes through the same door as any other."""
