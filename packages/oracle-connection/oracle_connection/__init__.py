"""What every client of an Oracle database needs to know: parameters, types, errors, probe."""
