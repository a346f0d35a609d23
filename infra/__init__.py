"""The AWS resources of Search Coverage, as CDK constructs: one construct per file, wired by `stack`."""
