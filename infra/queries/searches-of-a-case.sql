-- Searches of a case
--
-- Takes one parameter, in single quotes: the value of a tag of the search jobs, such as the case number 'CASE-4711'. One
-- row for each search that has this value in any of its tags, the latest first: what it was asked, what it left out, and
-- the checksums of its files. An empty member of the question does not narrow it. Two rows with the same fingerprint asked
-- the same question.
--
-- A search without tags, or with tags that could not be read, is not in the answer; nor is one without a report.
-- item_filters names what was filtered by, and no values.

SELECT
    "date",
    searchJob.identifier AS search_job_id,
    searchJob.name AS search_job_name,
    searchJob.fingerprint AS fingerprint,
    array_join(searchJob.scope.resourceTypes, ', ') AS resource_types,
    searchJob.scope.createdAfter AS backups_created_after,
    searchJob.scope.createdBefore AS backups_created_before,
    array_join(searchJob.scope.sourceArns, ', ') AS sources,
    array_join(searchJob.scope.backupArns, ', ') AS backups_named,
    array_join(map_keys(searchJob.scope.tags), ', ') AS tags_of_backups,
    array_join(searchJob.itemFilterNames, ', ') AS item_filters,
    verdict,
    backups.listed AS listed,
    backups.searched AS searched,
    backups.excluded AS excluded,
    previous.closed AS closes_previous,
    results.status AS results,
    contentSha256 AS summary_hash,
    files.html.key AS page,
    files.html.sha256 AS page_sha256,
    files.csv.key AS csv,
    files.csv.sha256 AS csv_sha256
FROM search_jobs
WHERE contains(map_values(searchJob.tags), CAST(? AS varchar))
ORDER BY searchJob.completionTime DESC, searchJob.identifier
