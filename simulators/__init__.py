"""What stands in for AWS in the demo and the tests; nothing of it is deployed."""
