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
    or (table_schema = 'tidegate' and table_name in ('sales__orders__batches'));

-- create_target: create_target_schema
create schema if not exists "sales";

-- create_target: create_target
create table if not exists "sales"."orders" (
    "id" integer not null,
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

-- merge_above_watermark: clear_rows
delete from "sales"."orders"
where exists (select 1 from "tidegate_stage");

-- merge_above_watermark: insert_rows
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

-- merge_late: drop_replaced
delete from "tidegate_stage"
where (select max("_position") from "tidegate_stage") < (select max(first_position) from "tidegate"."sales__orders__batches");

-- merge_late: clear_rows
delete from "sales"."orders"
where exists (select 1 from "tidegate_stage");

-- merge_late: insert_rows
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

-- columns: _position
alter table "sales"."orders" add column "_position" varchar(512) default '';

-- columns: _batch
alter table "sales"."orders" add column "_batch" bigint;

-- columns: _applied_at
alter table "sales"."orders" add column "_applied_at" timestamp;
