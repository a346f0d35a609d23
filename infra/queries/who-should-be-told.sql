-- Who should be told
--
-- One row for each question (fingerprint) whose latest search is not COMPLETE (OPEN), or is COMPLETE after one that was not
-- (CLOSED), with the tags of that search: who asked, for which case. open_since is the end of the first search with this
-- question that was not COMPLETE. Those who relied on one of these searches should know that it left something out, or that
-- the gap is closed.
--
-- It knows the tags, and not who read a result. Reports of before version 1.1 have no question and are not in the answer.

WITH searches AS (
    SELECT
        searchJob.fingerprint AS fingerprint,
        searchJob.completionTime AS ended,
        searchJob.identifier AS search_job_id,
        searchJob.name AS search_job_name,
        array_join(map_keys(searchJob.tags), ', ') AS tag_keys,
        array_join(map_values(searchJob.tags), ', ') AS tag_values,
        verdict,
        backups.excluded AS excluded,
        row_number() OVER (
            PARTITION BY searchJob.fingerprint
            ORDER BY searchJob.completionTime DESC, searchJob.identifier
        ) AS place,
        min(CASE WHEN verdict <> 'COMPLETE' THEN searchJob.completionTime END) OVER (
            PARTITION BY searchJob.fingerprint
        ) AS open_since
    FROM search_jobs
    WHERE searchJob.fingerprint IS NOT NULL
)
SELECT
    CASE WHEN verdict = 'COMPLETE' THEN 'CLOSED' ELSE 'OPEN' END AS state,
    tag_keys,
    tag_values,
    search_job_name,
    search_job_id,
    ended,
    verdict,
    excluded,
    open_since
FROM searches
WHERE place = 1 AND open_since IS NOT NULL
ORDER BY state DESC, open_since, search_job_id
