"""The AWS resources of Search Coverage, as CDK constructs: one construct a file, wired by `stack`."""
