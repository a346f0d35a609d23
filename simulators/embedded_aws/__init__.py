"""The embedded AWS: ministack in a child process, for `make demo` and the end-to-end tests.

Start with `embedded_aws.EmbeddedAws`. No module outside this folder depends on the choice of emulator.
"""
