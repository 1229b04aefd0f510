insert into {batches} (
    batch,
    fence,
    first_position,
    last_position,
    rows_staged,
    rows_inserted,
    rows_updated,
    rows_deleted,
    rows_stale,
    applied_at
) values ({batch}, {fence}, %s, %s, %s, %s, %s, %s, %s, sysdate)
