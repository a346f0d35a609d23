"""The checks, a module a group. Each takes the deployment and gives a finding; AWS's errors are the check-up's work."""
