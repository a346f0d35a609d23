-- Excluded again and again: sources
--
-- One row for each bucket or volume of which at least two searches left out a backup, the most often left out first.
-- searches and backups count the different search jobs and the different backups.
--
-- An empty source_resource_arn stands for all backups of which AWS did not name the source.

WITH excluded AS (
    -- Rows without a summary are the rest of a report that was cut short.
    SELECT e.*
    FROM excluded_backups AS e
    JOIN search_jobs AS j
        ON j.searchJob.identifier = e.search_job_id
        AND j."date" = e."date"
)
SELECT
    source_resource_arn,
    count(DISTINCT search_job_id) AS searches,
    count(DISTINCT backup_arn) AS backups,
    min("date") AS first_excluded,
    max("date") AS last_excluded,
    array_join(array_sort(array_agg(DISTINCT reason)), ', ') AS reasons
FROM excluded
GROUP BY source_resource_arn
HAVING count(DISTINCT search_job_id) > 1
ORDER BY searches DESC, last_excluded DESC, source_resource_arn
