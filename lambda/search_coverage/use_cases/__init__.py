"""What the product does, step by step: sweep the search jobs, report one of them."""
