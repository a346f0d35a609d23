-- Changed since the previous search
--
-- One row for each search that has a previous one with the same question (fingerprint), the latest first: how many backups
-- it newly leaves out, still leaves out and since when, and no longer leaves out. now_searched are those that it looked
-- at; not_in_this_search are those that it does not even list, so that nobody looked at them. closed: it is COMPLETE, and
-- the previous one was not.
--
-- The counts are empty where the two could not be compared.

SELECT
    "date",
    searchJob.identifier AS search_job_id,
    searchJob.name AS search_job_name,
    verdict,
    previous.searchJobIdentifier AS previous_search_job_id,
    previous.endedAt AS previous_ended,
    previous.verdict AS previous_verdict,
    previous.closed AS closed,
    previous.newlyExcluded AS newly_excluded,
    previous.stillExcluded AS still_excluded,
    previous.stillExcludedSince AS still_excluded_since,
    previous.nowSearched AS now_searched,
    previous.notInThisSearch AS not_in_this_search
FROM search_jobs
WHERE previous.searchJobIdentifier IS NOT NULL
ORDER BY searchJob.completionTime DESC, searchJob.identifier
