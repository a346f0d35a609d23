"""The simulator of AWS Backup and its search, held against the service models, the AWS CLI and aws-facts.md."""
