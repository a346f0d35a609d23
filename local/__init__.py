"""What runs on a laptop in place of AWS, for the demo and the tests; nothing of it is deployed."""
