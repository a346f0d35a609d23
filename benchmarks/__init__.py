"""What a report costs, against named baselines of the same run. ``python -m benchmarks`` measures it all.

A benchmark is no test: nothing here is collected by pytest, and no time that was taken fails anything.
"""
