"""What the vaults hold in the scope of a search, compared with what the search listed."""
