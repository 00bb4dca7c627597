"""Runs what a plan says, and writes down what it did."""
