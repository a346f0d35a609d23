"""Publish the failed backups of a report to machines, and one digest to people."""

from dataclasses import dataclass

from aws_lambda_powertools import Logger

from search_coverage.coverage.errors import AwsCallFailed
from search_coverage.names import SERVICE
from search_coverage.report.files.spool import Spool
from search_coverage.report.files.summary import Notified
from search_coverage.report.findings import Findings
from search_coverage.report.mail import alert
from search_coverage.report.mail.messages import Message
from search_coverage.use_cases.ports import AlertsTopic, NotPublished, SentDigests
from search_coverage.use_cases.report_attempt import ReportAttempt

_logger = Logger(service=SERVICE, child=True)


@dataclass(frozen=True, slots=True)
class Notifier:
    """Publishes to the topic, and remembers which digests were sent.

    Attributes:
        bucket: The name of the bucket that the messages point to.
    """

    topic: AlertsTopic
    sent: SentDigests
    notify_on: alert.NotifyOn
    bucket: str

    def is_due(self, findings: Findings) -> bool:
        """Whether the setting ``notifyOn`` asks for a notification about this report."""
        return alert.is_due(self.notify_on, findings)

    def notify(self, findings: Findings, spool: Spool, attempt: ReportAttempt) -> Notified:
        """Publish the failed backups, if a notification is due.

        The digest, part 1, goes last: an attempt that dies between two parts repeats parts for machines, which
        recognize them by their number, but not the mail to people.
        """
        if not self.is_due(findings):
            return Notified()
        messages = alert.messages(findings, spool.failed_rows, self.bucket)
        digest = next(messages)
        message_ids = []
        attempt.lease.confirm()
        try:
            for message in messages:
                attempt.deadline.check("publishing the failed backups")
                message_ids.append(self.topic.publish(message))
            attempt.deadline.check("publishing the digest")
            if message_ids:
                attempt.lease.confirm()
            return Notified((self._send_once(digest, findings, attempt), *message_ids))
        except NotPublished as error:
            return Notified(pending=str(error))

    def clear_record_for_replay(self, findings: Findings, attempt: ReportAttempt) -> None:
        """Delete the record of the digest of a replay, unless it was sent: this or another attempt then sends it."""
        if attempt.is_replay and not self.sent.message_id(attempt.digest_key, _content_of_digest(findings)):
            self.sent.forget(attempt.job.identifier)

    def _send_once(self, digest: Message, findings: Findings, attempt: ReportAttempt) -> str:
        """Publish the digest, unless an earlier attempt did; return the id of the message."""
        key, content = attempt.digest_key, _content_of_digest(findings)
        if message_id := self.sent.message_id(key, content):
            _logger.info("digest was sent before", message_id=message_id)
            return message_id
        message_id = self.topic.publish(digest)
        try:
            for sent_for in dict.fromkeys((key, attempt.job.identifier)):
                self.sent.record(sent_for, content, message_id)
        except AwsCallFailed as error:
            # The digest is out. Only if this attempt fails later, it is sent again.
            _logger.warning(str(error))
        return message_id


def _content_of_digest(findings: Findings) -> str:
    """Return the content that a digest is sent once for. It omits the verdict, which may differ at each attempt."""
    return f"{findings.job.status}: {findings.tally.listed} listed, {findings.tally.failed} failed"
