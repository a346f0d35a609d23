-- Who should be told
--
-- One row for each search that was not COMPLETE, with its tags: who asked, for which case. Whoever relied on it should know
-- that it left something out (OPEN), or that a later search with the same question was COMPLETE (CLOSED), and when. OPEN
-- comes first, then what was closed last.
--
-- It knows the tags, and not who read a result; where the tags could not be read, they are NOT KNOWN. Reports of before
-- version 1.1 have no question and are not in the answer.

WITH searches AS (
    SELECT
        searchJob.fingerprint AS fingerprint,
        searchJob.completionTime AS ended,
        searchJob.identifier AS search_job_id,
        searchJob.name AS search_job_name,
        coalesce(array_join(map_keys(searchJob.tags), ', '), 'NOT KNOWN') AS tag_keys,
        coalesce(array_join(map_values(searchJob.tags), ', '), 'NOT KNOWN') AS tag_values,
        verdict,
        backups.excluded AS excluded,
        min(CASE WHEN verdict = 'COMPLETE' THEN searchJob.completionTime END) OVER (
            PARTITION BY searchJob.fingerprint
            ORDER BY searchJob.completionTime, searchJob.identifier
            ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING
        ) AS closed
    FROM search_jobs
    WHERE searchJob.fingerprint IS NOT NULL
)
SELECT
    CASE WHEN closed IS NULL THEN 'OPEN' ELSE 'CLOSED' END AS state,
    tag_keys,
    tag_values,
    search_job_name,
    search_job_id,
    ended,
    verdict,
    excluded,
    closed
FROM searches
WHERE verdict <> 'COMPLETE'
ORDER BY state DESC, closed DESC, ended, search_job_id
