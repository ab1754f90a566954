"""Proves that the copy in the warehouse equals the source, finds what does not, repairs it, and publishes until when it is proven."""
