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
    or (table_schema = 'tidegate' and table_name in ('sales__orders__batches', 'sales__orders__tombstones'));

-- count_batches: count_batches
select count(*)
from "tidegate"."sales__orders__batches";

-- create_target: create_target_schema
create schema if not exists "sales";

-- create_target: create_target
create table if not exists "sales"."orders" (
    "id" varchar(9) not null,
    "name" varchar(20),
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
    "id" varchar(9) not null,
    "_position" varchar(512),
    "_batch" bigint,
    "_deleted_at" timestamp
)
distkey ("id")
sortkey auto;

-- create_stage: create_stage
create temporary table "tidegate_stage" (
    "id" varchar(9),
    "name" varchar(65535),
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

-- merge_empty: keep_newest
create temporary table "tidegate_arrived" as
select
    "id",
    "name",
    "_op",
    "_position"
from (
    select
        "id",
        "name",
        "_op",
        "_position",
        row_number() over (
            partition by "id"
            order by "_position" desc
        ) as "_rank"
    from "tidegate_stage"
) as ranked
where "_rank" = 1;

-- merge_empty: clear_tombstones
delete from "tidegate"."sales__orders__tombstones"
using "tidegate_arrived"
where "tidegate"."sales__orders__tombstones"."id" = "tidegate_arrived"."id";

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
from "tidegate_arrived"
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
from "tidegate_arrived"
where "_op" <> 'D';

-- merge_above_watermark: keep_newest
create temporary table "tidegate_arrived" as
select
    "id",
    "name",
    "_op",
    "_position"
from (
    select
        "id",
        "name",
        "_op",
        "_position",
        row_number() over (
            partition by "id"
            order by "_position" desc
        ) as "_rank"
    from "tidegate_stage"
) as ranked
where "_rank" = 1;

-- merge_above_watermark: count_updates
select
    count(*) - count("sales"."orders"."id") as rows_inserted,
    count("sales"."orders"."id") as rows_updated
from "tidegate_arrived"
left join "sales"."orders" on "sales"."orders"."id" = "tidegate_arrived"."id"
where "tidegate_arrived"."_op" <> 'D';

-- merge_above_watermark: delete_rows
delete from "sales"."orders"
using "tidegate_arrived"
where "sales"."orders"."id" = "tidegate_arrived"."id"
    and "tidegate_arrived"."_op" = 'D';

-- merge_above_watermark: clear_tombstones
delete from "tidegate"."sales__orders__tombstones"
using "tidegate_arrived"
where "tidegate"."sales__orders__tombstones"."id" = "tidegate_arrived"."id";

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
from "tidegate_arrived"
where "_op" = 'D';

-- merge_above_watermark: drop_deletes
delete from "tidegate_arrived"
where "_op" = 'D';

-- merge_above_watermark: merge_rows
merge into "sales"."orders"
using "tidegate_arrived"
on "sales"."orders"."id" = "tidegate_arrived"."id"
when matched then update set
    "name" = "tidegate_arrived"."name",
    "_position" = "tidegate_arrived"."_position",
    "_batch" = 1723231637787,
    "_applied_at" = sysdate
when not matched then insert (
    "id",
    "name",
    "_position",
    "_batch",
    "_applied_at"
) values (
    "tidegate_arrived"."id",
    "tidegate_arrived"."name",
    "tidegate_arrived"."_position",
    1723231637787,
    sysdate
);

-- merge_late: keep_newest
create temporary table "tidegate_arrived" as
select
    "id",
    "name",
    "_op",
    "_position"
from (
    select
        "id",
        "name",
        "_op",
        "_position",
        row_number() over (
            partition by "id"
            order by "_position" desc
        ) as "_rank"
    from "tidegate_stage"
) as ranked
where "_rank" = 1;

-- merge_late: drop_stale_rows
delete from "tidegate_arrived"
using "sales"."orders"
where "sales"."orders"."id" = "tidegate_arrived"."id"
    and "tidegate_arrived"."_position" <= "sales"."orders"."_position";

-- merge_late: drop_deleted_rows
delete from "tidegate_arrived"
using "tidegate"."sales__orders__tombstones"
where "tidegate"."sales__orders__tombstones"."id" = "tidegate_arrived"."id"
    and "tidegate_arrived"."_position" <= "tidegate"."sales__orders__tombstones"."_position";

-- merge_late: count_updates
select
    count(*) - count("sales"."orders"."id") as rows_inserted,
    count("sales"."orders"."id") as rows_updated
from "tidegate_arrived"
left join "sales"."orders" on "sales"."orders"."id" = "tidegate_arrived"."id"
where "tidegate_arrived"."_op" <> 'D';

-- merge_late: delete_rows
delete from "sales"."orders"
using "tidegate_arrived"
where "sales"."orders"."id" = "tidegate_arrived"."id"
    and "tidegate_arrived"."_op" = 'D';

-- merge_late: clear_tombstones
delete from "tidegate"."sales__orders__tombstones"
using "tidegate_arrived"
where "tidegate"."sales__orders__tombstones"."id" = "tidegate_arrived"."id";

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
from "tidegate_arrived"
where "_op" = 'D';

-- merge_late: drop_deletes
delete from "tidegate_arrived"
where "_op" = 'D';

-- merge_late: merge_rows
merge into "sales"."orders"
using "tidegate_arrived"
on "sales"."orders"."id" = "tidegate_arrived"."id"
when matched then update set
    "name" = "tidegate_arrived"."name",
    "_position" = "tidegate_arrived"."_position",
    "_batch" = 1723231637787,
    "_applied_at" = sysdate
when not matched then insert (
    "id",
    "name",
    "_position",
    "_batch",
    "_applied_at"
) values (
    "tidegate_arrived"."id",
    "tidegate_arrived"."name",
    "tidegate_arrived"."_position",
    1723231637787,
    sysdate
);

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
alter table "sales"."orders" add column "id" varchar(9);

-- columns: name
alter table "sales"."orders" add column "name" varchar(20);

-- columns: _position
alter table "sales"."orders" add column "_position" varchar(512) default '';

-- columns: _batch
alter table "sales"."orders" add column "_batch" bigint;

-- columns: _applied_at
alter table "sales"."orders" add column "_applied_at" timestamp;

-- columns: id
alter table "tidegate"."sales__orders__tombstones" add column "id" varchar(9);

-- widen: id
alter table "sales"."orders" alter column "id" type varchar(…);

-- widen: name
alter table "sales"."orders" alter column "name" type varchar(…);

-- widen: id
alter table "tidegate"."sales__orders__tombstones" alter column "id" type varchar(…);
