"""Officials, units and roles from a file into workflow's database."""
