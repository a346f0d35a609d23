"""The pure core: search jobs, backups, exclusions and the verdict. No AWS, no clock, no I/O."""
