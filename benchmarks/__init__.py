"""What a report costs, against named baselines of the same run. ``python -m benchmarks`` measures it all.

Benchmarks are not tests: pytest does not collect them, and no measured time fails a build.
"""
