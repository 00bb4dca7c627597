"""Tables, their sources, and the shape that they are expected in."""
