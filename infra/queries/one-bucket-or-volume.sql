-- Everything about one bucket or volume
--
-- Takes one parameter, in single quotes: 'my-bucket', 'vol-0123456789abcdef0', or the whole ARN. One row for each of
-- its backups that a search left out, the latest search first.
--
-- No row means that no report names a backup of it as left out. It does not mean that it was searched.

SELECT
    e."date",
    e.search_job_id,
    e.search_job_name,
    j.verdict,
    e.source_resource_arn,
    e.backup_arn,
    e.backup_created,
    e.status,
    e.status_message,
    e.reason,
    e.remedy,
    e.backup_vault,
    e.index_status,
    e.index_status_message
FROM excluded_backups AS e
-- Rows without a summary are the rest of a report that was cut short.
JOIN search_jobs AS j
    ON j.searchJob.identifier = e.search_job_id
    AND j."date" = e."date"
WHERE CAST(? AS varchar) IN (e.source_resource_arn, regexp_extract(e.source_resource_arn, '[^:/]+$'))
ORDER BY e."date" DESC, e.search_job_id, e.backup_created DESC, e.backup_arn
