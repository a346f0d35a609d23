-- Find in kept results
--
-- Takes one parameter, in single quotes: a part of the key of an object or of the path of a file, such as 'invoice'. One
-- row for each item with that part that a search found, whose results were kept: in which backup, of which source, and by
-- which search.
--
-- No row means that no kept result has it. Results that were not kept, have expired or were erased, and backups that were
-- not searched, are not known here. The answer names files: it is stored with the results, and read by their readers only.

SELECT
    "date",
    search_job_id,
    path,
    resource_type,
    source_resource_arn,
    backup_arn,
    backup_vault,
    size,
    created,
    last_modified,
    version_id
FROM search_results
WHERE strpos(path, CAST(? AS varchar)) > 0
ORDER BY path, "date", search_job_id, backup_arn
