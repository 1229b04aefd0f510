-- session: set_query_group
set query_group to 'tidegate sales.orders 1723231637787';

-- session: set_statement_timeout
set statement_timeout to 3300000;

-- session: set_timezone
set timezone to 'UTC';

-- describe: describe_target
select
    table_schema,
    table_name,
    column_name,
    data_type,
    character_maximum_length,
    numeric_precision,
    numeric_scale
from svv_columns
where (table_schema = 'sales' and table_name = 'orders')
    or (table_schema = 'tidegate' and table_name in ('sales__orders__batches', 'sales__orders__tombstones', 'sales__orders__truncations'));

-- count_batches: count_batches
select count(*)
from "tidegate"."sales__orders__batches";

-- create_target: create_target_schema
create schema if not exists "sales";

-- create_target: create_target
create table if not exists "sales"."orders" (
    "id" integer not null,
    "name" varchar(20),
    "_deleted_at" timestamp,
    "_position" varchar(512),
    "_batch" bigint,
    "_applied_at" timestamp
)
diststyle auto
sortkey auto;

-- create: create_control_schema
create schema if not exists "tidegate";

-- create: create_batches
create table if not exists "tidegate"."sales__orders__batches" (
    batch bigint not null,
    fence bigint not null,
    first_position varchar(512),
    last_position varchar(512),
    rows_staged bigint not null,
    rows_inserted bigint not null,
    rows_updated bigint not null,
    rows_deleted bigint not null,
    rows_stale bigint not null,
    applied_at timestamp not null
)
diststyle all
sortkey (batch);

-- create: create_tombstones
create table if not exists "tidegate"."sales__orders__tombstones" (
    "id" integer not null,
    "_position" varchar(512),
    "_batch" bigint,
    "_deleted_at" timestamp
)
distkey ("id")
sortkey auto;

-- create: create_truncations
create table if not exists "tidegate"."sales__orders__truncations" (
    "_position" varchar(512),
    "_batch" bigint,
    "_changed_at" timestamp
)
diststyle all
sortkey auto;

-- create_stage: create_stage
create temporary table "tidegate_stage" (
    "id" integer,
    "name" varchar(20),
    "_op" varchar(1),
    "_position" varchar(512)
)
distkey ("id");

-- copy_stage: copy_stage
copy "tidegate_stage"
from 's3://work/a/manifest.json'
iam_role default
format as parquet
manifest;

-- count_staged: count_staged
select pg_last_copy_count();

-- lock: lock_batches
lock table "tidegate"."sales__orders__batches";

-- read_progress: read_progress
select
    max(fence) as fence,
    max(last_position) as watermark,
    (select count(*) from (select 1 as one from "sales"."orders" limit 1) as one_row) as target_rows,
    max(case when batch = 1723231637787 then fence end) as batch_fence,
    max(case when batch = 1723231637787 then first_position end) as first_position,
    max(case when batch = 1723231637787 then last_position end) as last_position,
    max(case when batch = 1723231637787 then rows_staged end) as rows_staged,
    max(case when batch = 1723231637787 then rows_inserted end) as rows_inserted,
    max(case when batch = 1723231637787 then rows_updated end) as rows_updated,
    max(case when batch = 1723231637787 then rows_deleted end) as rows_deleted,
    max(case when batch = 1723231637787 then rows_stale end) as rows_stale
from "tidegate"."sales__orders__batches";

-- merge_empty: write_truncation
insert into "tidegate"."sales__orders__truncations" (
    "_position",
    "_batch"
)
select
    max("_position"),
    1723231637787
from "tidegate_stage"
where "_op" = 'T'
having count(*) > 0;

-- merge_empty: drop_truncations
delete from "tidegate_stage"
where "_op" = 'T';

-- merge_empty: clear_deleted
delete from "tidegate"."sales__orders__tombstones"
using "tidegate_stage"
where "tidegate"."sales__orders__tombstones"."id" = "tidegate_stage"."id"
    and "tidegate_stage"."_op" = 'D';

-- merge_empty: write_tombstones
insert into "tidegate"."sales__orders__tombstones" (
    "id",
    "_position",
    "_batch",
    "_deleted_at"
)
select
    "id",
    "_position",
    1723231637787,
    sysdate
from "tidegate_stage"
where "_op" = 'D';

-- merge_empty: drop_deletes
delete from "tidegate_stage"
where "_op" = 'D';

-- merge_empty: insert_rows
insert into "sales"."orders" (
    "id",
    "name",
    "_position",
    "_batch",
    "_applied_at"
)
select
    "id",
    "name",
    "_position",
    1723231637787,
    sysdate
from "tidegate_stage"
where "_op" <> 'D';

-- merge_empty: mark_merged
update "sales"."orders"
set
    "_deleted_at" = "tidegate"."sales__orders__tombstones"."_deleted_at",
    "_applied_at" = sysdate
from "tidegate"."sales__orders__tombstones"
where "sales"."orders"."id" = "tidegate"."sales__orders__tombstones"."id"
    and "sales"."orders"."_position" < "tidegate"."sales__orders__tombstones"."_position"
    and "sales"."orders"."_batch" = 1723231637787;

-- merge_empty: mark_deleted
update "sales"."orders"
set
    "_deleted_at" = "tidegate"."sales__orders__tombstones"."_deleted_at",
    "_batch" = 1723231637787,
    "_applied_at" = sysdate
from "tidegate"."sales__orders__tombstones"
where "sales"."orders"."id" = "tidegate"."sales__orders__tombstones"."id"
    and "sales"."orders"."_position" < "tidegate"."sales__orders__tombstones"."_position"
    and "tidegate"."sales__orders__tombstones"."_batch" = 1723231637787
    -- mark_merged has marked the rows of this batch. Rows from before Tidegate have no batch.
    and coalesce("sales"."orders"."_batch", 0) <> 1723231637787;

-- merge_empty: mark_truncated
update "sales"."orders"
set
    "_deleted_at" = sysdate,
    "_batch" = 1723231637787,
    "_applied_at" = sysdate
where "_deleted_at" is null
    and "_position" < (select max("_position") from "tidegate"."sales__orders__truncations");

-- merge_above_watermark: write_truncation
insert into "tidegate"."sales__orders__truncations" (
    "_position",
    "_batch"
)
select
    max("_position"),
    1723231637787
from "tidegate_stage"
where "_op" = 'T'
having count(*) > 0;

-- merge_above_watermark: drop_truncations
delete from "tidegate_stage"
where "_op" = 'T';

-- merge_above_watermark: count_updates
select
    count(*) - count("sales"."orders"."id") as rows_inserted,
    count("sales"."orders"."id") as rows_updated
from "tidegate_stage"
left join "sales"."orders" on "sales"."orders"."id" = "tidegate_stage"."id"
where "tidegate_stage"."_op" <> 'D';

-- merge_above_watermark: clear_deleted
delete from "tidegate"."sales__orders__tombstones"
using "tidegate_stage"
where "tidegate"."sales__orders__tombstones"."id" = "tidegate_stage"."id"
    and "tidegate_stage"."_op" = 'D';

-- merge_above_watermark: write_tombstones
insert into "tidegate"."sales__orders__tombstones" (
    "id",
    "_position",
    "_batch",
    "_deleted_at"
)
select
    "id",
    "_position",
    1723231637787,
    sysdate
from "tidegate_stage"
where "_op" = 'D';

-- merge_above_watermark: drop_deletes
delete from "tidegate_stage"
where "_op" = 'D';

-- merge_above_watermark: count_deletes
select count(*) as rows_deleted
from "sales"."orders"
join "tidegate"."sales__orders__tombstones" on "sales"."orders"."id" = "tidegate"."sales__orders__tombstones"."id"
left join "tidegate_stage" on "sales"."orders"."id" = "tidegate_stage"."id"
where "sales"."orders"."_deleted_at" is null
    and "tidegate"."sales__orders__tombstones"."_batch" = 1723231637787
    and "tidegate"."sales__orders__tombstones"."_position" > "sales"."orders"."_position"
    and ("tidegate_stage"."_position" is null or "tidegate_stage"."_position" < "tidegate"."sales__orders__tombstones"."_position");

-- merge_above_watermark: count_truncated
select count(*) as rows_deleted
from "sales"."orders"
left join "tidegate_stage" on "sales"."orders"."id" = "tidegate_stage"."id"
left join "tidegate"."sales__orders__tombstones" on "sales"."orders"."id" = "tidegate"."sales__orders__tombstones"."id"
where "sales"."orders"."_deleted_at" is null
    and "sales"."orders"."_position" < (select max("_position") from "tidegate"."sales__orders__truncations")
    and (
        "tidegate_stage"."_position" is null
        or "tidegate_stage"."_position" < (select max("_position") from "tidegate"."sales__orders__truncations")
    )
    -- count_deletes has already counted these rows.
    and (
        "tidegate"."sales__orders__tombstones"."_position" is null
        or "tidegate"."sales__orders__tombstones"."_position" < "sales"."orders"."_position"
        or "tidegate"."sales__orders__tombstones"."_position" < "tidegate_stage"."_position"
    );

-- merge_above_watermark: merge_rows
merge into "sales"."orders"
using "tidegate_stage"
on "sales"."orders"."id" = "tidegate_stage"."id"
when matched then update set
    "name" = "tidegate_stage"."name",
    "_position" = "tidegate_stage"."_position",
    "_deleted_at" = null::timestamp,
    "_batch" = 1723231637787,
    "_applied_at" = sysdate
when not matched then insert (
    "id",
    "name",
    "_position",
    "_batch",
    "_applied_at"
) values (
    "tidegate_stage"."id",
    "tidegate_stage"."name",
    "tidegate_stage"."_position",
    1723231637787,
    sysdate
);

-- merge_above_watermark: mark_merged
update "sales"."orders"
set
    "_deleted_at" = "tidegate"."sales__orders__tombstones"."_deleted_at",
    "_applied_at" = sysdate
from "tidegate"."sales__orders__tombstones"
where "sales"."orders"."id" = "tidegate"."sales__orders__tombstones"."id"
    and "sales"."orders"."_position" < "tidegate"."sales__orders__tombstones"."_position"
    and "sales"."orders"."_batch" = 1723231637787;

-- merge_above_watermark: mark_deleted
update "sales"."orders"
set
    "_deleted_at" = "tidegate"."sales__orders__tombstones"."_deleted_at",
    "_batch" = 1723231637787,
    "_applied_at" = sysdate
from "tidegate"."sales__orders__tombstones"
where "sales"."orders"."id" = "tidegate"."sales__orders__tombstones"."id"
    and "sales"."orders"."_position" < "tidegate"."sales__orders__tombstones"."_position"
    and "tidegate"."sales__orders__tombstones"."_batch" = 1723231637787
    -- mark_merged has marked the rows of this batch. Rows from before Tidegate have no batch.
    and coalesce("sales"."orders"."_batch", 0) <> 1723231637787;

-- merge_above_watermark: mark_truncated
update "sales"."orders"
set
    "_deleted_at" = sysdate,
    "_batch" = 1723231637787,
    "_applied_at" = sysdate
where "_deleted_at" is null
    and "_position" < (select max("_position") from "tidegate"."sales__orders__truncations");

-- merge_late: write_truncation
insert into "tidegate"."sales__orders__truncations" (
    "_position",
    "_batch"
)
select
    max("_position"),
    1723231637787
from "tidegate_stage"
where "_op" = 'T'
having count(*) > 0;

-- merge_late: drop_truncations
delete from "tidegate_stage"
where "_op" = 'T';

-- merge_late: drop_stale_values
delete from "tidegate_stage"
using "sales"."orders"
where "sales"."orders"."id" = "tidegate_stage"."id"
    and "tidegate_stage"."_op" <> 'D'
    and "tidegate_stage"."_position" <= "sales"."orders"."_position";

-- merge_late: drop_stale_deletes
delete from "tidegate_stage"
using "tidegate"."sales__orders__tombstones"
where "tidegate"."sales__orders__tombstones"."id" = "tidegate_stage"."id"
    and "tidegate_stage"."_op" = 'D'
    and "tidegate_stage"."_position" <= "tidegate"."sales__orders__tombstones"."_position";

-- merge_late: count_updates
select
    count(*) - count("sales"."orders"."id") as rows_inserted,
    count("sales"."orders"."id") as rows_updated
from "tidegate_stage"
left join "sales"."orders" on "sales"."orders"."id" = "tidegate_stage"."id"
where "tidegate_stage"."_op" <> 'D';

-- merge_late: clear_deleted
delete from "tidegate"."sales__orders__tombstones"
using "tidegate_stage"
where "tidegate"."sales__orders__tombstones"."id" = "tidegate_stage"."id"
    and "tidegate_stage"."_op" = 'D';

-- merge_late: write_tombstones
insert into "tidegate"."sales__orders__tombstones" (
    "id",
    "_position",
    "_batch",
    "_deleted_at"
)
select
    "id",
    "_position",
    1723231637787,
    sysdate
from "tidegate_stage"
where "_op" = 'D';

-- merge_late: drop_deletes
delete from "tidegate_stage"
where "_op" = 'D';

-- merge_late: count_deletes
select count(*) as rows_deleted
from "sales"."orders"
join "tidegate"."sales__orders__tombstones" on "sales"."orders"."id" = "tidegate"."sales__orders__tombstones"."id"
left join "tidegate_stage" on "sales"."orders"."id" = "tidegate_stage"."id"
where "sales"."orders"."_deleted_at" is null
    and "tidegate"."sales__orders__tombstones"."_batch" = 1723231637787
    and "tidegate"."sales__orders__tombstones"."_position" > "sales"."orders"."_position"
    and ("tidegate_stage"."_position" is null or "tidegate_stage"."_position" < "tidegate"."sales__orders__tombstones"."_position");

-- merge_late: count_truncated
select count(*) as rows_deleted
from "sales"."orders"
left join "tidegate_stage" on "sales"."orders"."id" = "tidegate_stage"."id"
left join "tidegate"."sales__orders__tombstones" on "sales"."orders"."id" = "tidegate"."sales__orders__tombstones"."id"
where "sales"."orders"."_deleted_at" is null
    and "sales"."orders"."_position" < (select max("_position") from "tidegate"."sales__orders__truncations")
    and (
        "tidegate_stage"."_position" is null
        or "tidegate_stage"."_position" < (select max("_position") from "tidegate"."sales__orders__truncations")
    )
    -- count_deletes has already counted these rows.
    and (
        "tidegate"."sales__orders__tombstones"."_position" is null
        or "tidegate"."sales__orders__tombstones"."_position" < "sales"."orders"."_position"
        or "tidegate"."sales__orders__tombstones"."_position" < "tidegate_stage"."_position"
    );

-- merge_late: merge_rows
merge into "sales"."orders"
using "tidegate_stage"
on "sales"."orders"."id" = "tidegate_stage"."id"
when matched then update set
    "name" = "tidegate_stage"."name",
    "_position" = "tidegate_stage"."_position",
    "_deleted_at" = null::timestamp,
    "_batch" = 1723231637787,
    "_applied_at" = sysdate
when not matched then insert (
    "id",
    "name",
    "_position",
    "_batch",
    "_applied_at"
) values (
    "tidegate_stage"."id",
    "tidegate_stage"."name",
    "tidegate_stage"."_position",
    1723231637787,
    sysdate
);

-- merge_late: mark_merged
update "sales"."orders"
set
    "_deleted_at" = "tidegate"."sales__orders__tombstones"."_deleted_at",
    "_applied_at" = sysdate
from "tidegate"."sales__orders__tombstones"
where "sales"."orders"."id" = "tidegate"."sales__orders__tombstones"."id"
    and "sales"."orders"."_position" < "tidegate"."sales__orders__tombstones"."_position"
    and "sales"."orders"."_batch" = 1723231637787;

-- merge_late: mark_deleted
update "sales"."orders"
set
    "_deleted_at" = "tidegate"."sales__orders__tombstones"."_deleted_at",
    "_batch" = 1723231637787,
    "_applied_at" = sysdate
from "tidegate"."sales__orders__tombstones"
where "sales"."orders"."id" = "tidegate"."sales__orders__tombstones"."id"
    and "sales"."orders"."_position" < "tidegate"."sales__orders__tombstones"."_position"
    and "tidegate"."sales__orders__tombstones"."_batch" = 1723231637787
    -- mark_merged has marked the rows of this batch. Rows from before Tidegate have no batch.
    and coalesce("sales"."orders"."_batch", 0) <> 1723231637787;

-- merge_late: mark_truncated
update "sales"."orders"
set
    "_deleted_at" = sysdate,
    "_batch" = 1723231637787,
    "_applied_at" = sysdate
where "_deleted_at" is null
    and "_position" < (select max("_position") from "tidegate"."sales__orders__truncations");

-- write_batch: write_batch
insert into "tidegate"."sales__orders__batches" (
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
) values (1723231637787, 1723231637999, %s, %s, %s, %s, %s, %s, %s, sysdate);

-- columns: id
alter table "sales"."orders" add column "id" integer;

-- columns: name
alter table "sales"."orders" add column "name" varchar(20);

-- columns: _deleted_at
alter table "sales"."orders" add column "_deleted_at" timestamp;

-- columns: _position
alter table "sales"."orders" add column "_position" varchar(512) default '';

-- columns: _batch
alter table "sales"."orders" add column "_batch" bigint;

-- columns: _applied_at
alter table "sales"."orders" add column "_applied_at" timestamp;

-- columns: id
alter table "tidegate"."sales__orders__tombstones" add column "id" integer;
