"""Singer tap: rows leave an Oracle WMS exactly, kindly and completely."""
