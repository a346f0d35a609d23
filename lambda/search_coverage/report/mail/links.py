"""Links into the AWS console."""

from urllib.parse import quote

_CONSOLE_DOMAINS = {"aws-cn": "console.amazonaws.cn", "aws-us-gov": "console.amazonaws-us-gov.com"}


def bucket_folder_url(partition: str, region: str, bucket: str, prefix: str) -> str:
    """Give the S3 console's address of a folder."""
    domain = _CONSOLE_DOMAINS.get(partition, "console.aws.amazon.com")
    return f"https://{region}.{domain}/s3/buckets/{quote(bucket)}?region={region}&prefix={quote(prefix)}"
