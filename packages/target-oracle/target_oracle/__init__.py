"""Singer target: rows arrive in an Oracle warehouse once, whole, and provably."""
