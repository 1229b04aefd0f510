select
    scans.file_path,
    min_by('record ' || errors.line || ': ' || errors.error_message, errors.line)
from reject_errors as errors
join reject_scans as scans using (scan_id, file_id)
group by scans.file_path
