-- Excluded again and again: backups
--
-- One row for each backup that at least two searches left out, the most often left out first, with the reasons, and
-- with what to do by the latest of these searches.
--
-- Backups that AWS did not name cannot be recognized again; they are not in the answer.

WITH excluded AS (
    -- Rows without a summary are the rest of a report that was cut short.
    SELECT e.*
    FROM excluded_backups AS e
    JOIN search_jobs AS j
        ON j.searchJob.identifier = e.search_job_id
        AND j."date" = e."date"
)
SELECT
    backup_arn,
    max(source_resource_arn) AS source_resource_arn,
    count(DISTINCT search_job_id) AS searches,
    min("date") AS first_excluded,
    max("date") AS last_excluded,
    array_join(array_sort(array_agg(DISTINCT reason)), ', ') AS reasons,
    max_by(remedy, "date") AS remedy
FROM excluded
WHERE backup_arn IS NOT NULL
GROUP BY backup_arn
HAVING count(DISTINCT search_job_id) > 1
ORDER BY searches DESC, last_excluded DESC, backup_arn
