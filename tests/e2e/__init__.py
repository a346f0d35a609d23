"""The real stack, deployed by the CDK command line to the embedded AWS; the bundle as Lambda runs it."""
