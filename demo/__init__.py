"""A small invented warehouse: its schema, a simulator that fills and works it, and an independent comparison of two databases.

The only place with invented rows. It shares no code with tap and target, so that it can judge them.
"""
