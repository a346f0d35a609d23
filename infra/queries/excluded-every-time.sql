-- Excluded every time
--
-- One row for each question that at least two searches asked, and each backup that every one of them left out: since when,
-- for which reasons, and what to do by the latest of these searches.
--
-- A question is scope, filters and type (fingerprint). Reports of before version 1.1 have none and are not in the answer;
-- nor are backups that AWS did not name. A backup that is newer than one of the searches cannot be in every one of them.

WITH questions AS (
    SELECT
        searchJob.fingerprint AS fingerprint,
        count(DISTINCT searchJob.identifier) AS searches,
        max_by(searchJob.name, searchJob.completionTime) AS search_job_name
    FROM search_jobs
    WHERE searchJob.fingerprint IS NOT NULL
    GROUP BY searchJob.fingerprint
    HAVING count(DISTINCT searchJob.identifier) > 1
),
excluded AS (
    -- Rows without a summary are the rest of a report that was cut short.
    SELECT
        j.searchJob.fingerprint AS fingerprint,
        e.*
    FROM excluded_backups AS e
    JOIN search_jobs AS j
        ON j.searchJob.identifier = e.search_job_id
        AND j."date" = e."date"
    WHERE e.backup_arn IS NOT NULL
)
SELECT
    q.search_job_name,
    q.fingerprint,
    q.searches,
    e.backup_arn,
    max(e.source_resource_arn) AS source_resource_arn,
    min(e.excluded_since) AS excluded_since,
    array_join(array_sort(array_agg(DISTINCT e.reason)), ', ') AS reasons,
    max_by(e.remedy, e."date") AS remedy
FROM questions AS q
JOIN excluded AS e
    ON e.fingerprint = q.fingerprint
GROUP BY q.search_job_name, q.fingerprint, q.searches, e.backup_arn
HAVING count(DISTINCT e.search_job_id) = q.searches
ORDER BY excluded_since, q.fingerprint, e.backup_arn
