"""The embedded AWS: ministack in a child process, for `make demo` and the end-to-end tests.

Start with `embedded_aws.EmbeddedAws`. Nothing outside this folder knows which emulator it is.
"""
