"""The command `search-coverage`, against scripted answers of AWS and against moto."""
