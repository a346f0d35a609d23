"""search-coverage, the command for the people who operate the stack."""
