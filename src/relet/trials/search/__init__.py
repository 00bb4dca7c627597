"""A search for better settings: what is searched, the study that asks, the rounds that measure, and the winner."""
