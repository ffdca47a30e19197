"""Processes as drawings: BPMN 2.0 files read, checked, turned into what runs, and written back."""
