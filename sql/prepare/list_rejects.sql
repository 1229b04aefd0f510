select
    scans.file_path,
    min(errors.line_byte_position),
    min_by(errors.error_message, errors.line_byte_position)
from reject_errors as errors
join reject_scans as scans using (scan_id, file_id)
group by scans.file_path
