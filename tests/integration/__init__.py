"""The functions against servers: moto for AWS's services, our simulator for AWS Backup search, all over HTTP."""
