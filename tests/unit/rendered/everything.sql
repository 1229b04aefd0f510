-- session: set_query_group
set query_group to 'tidegate odd "schema".it''s a table 1723231637787';

-- session: set_statement_timeout
set statement_timeout to 3300000;

-- session: set_timezone
set timezone to 'UTC';

-- session: keep_last_attribute
set json_parse_dedup_attributes to on;

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
where (table_schema = 'odd "schema"' and table_name = 'it''s a table')
    or (table_schema = 'tidegate' and table_name in ('odd "schema"__it''s a table__batches', 'odd "schema"__it''s a table__tombstones'));

-- count_batches: count_batches
select count(*)
from "tidegate"."odd ""schema""__it's a table__batches";

-- create_target: create_target_schema
create schema if not exists "odd ""schema""";

-- create_target: create_target
create table if not exists "odd ""schema"""."it's a table" (
    "order id" bigint not null,
    "li""ne" smallint not null,
    "a" integer,
    "b" decimal(12,2),
    "c" real,
    "d" double precision,
    "e" boolean,
    "f" char(3),
    "g" varchar(256),
    "h" date,
    "i" time,
    "j" timestamp,
    "k" timestamptz,
    "l" super,
    "m" varbyte,
    "select" varbyte(16),
    "per%cent {x}; --" varchar(9),
    "_position" varchar(512),
    "_batch" bigint,
    "_applied_at" timestamp
)
distkey ("li""ne")
sortkey ("h", "order id");

-- create: create_control_schema
create schema if not exists "tidegate";

-- create: create_batches
create table if not exists "tidegate"."odd ""schema""__it's a table__batches" (
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
create table if not exists "tidegate"."odd ""schema""__it's a table__tombstones" (
    "order id" bigint not null,
    "li""ne" smallint not null,
    "_position" varchar(512),
    "_batch" bigint,
    "_deleted_at" timestamp
)
distkey ("li""ne")
sortkey auto;

-- create_stage: create_stage
create temporary table "tidegate_stage" (
    "order id" bigint,
    "li""ne" smallint,
    "a" integer,
    "b" decimal(38,2),
    "c" real,
    "d" double precision,
    "e" boolean,
    "f" varchar(65535),
    "g" varchar(256),
    "h" date,
    "i" varchar(65535),
    "j" timestamp,
    "k" varchar(65535),
    "l" varchar(65535),
    "m" varchar(65535),
    "select" varchar(65535),
    "per%cent {x}; --" varchar(9),
    "_op" varchar(1),
    "_position" varchar(512)
)
distkey ("li""ne");

-- copy_stage: copy_stage
copy "tidegate_stage"
from 's3://work/a/manifest.json'
iam_role 'arn:aws:iam::123456789012:role/tidegate-copy'
format as parquet
manifest;

-- count_staged: count_staged
select pg_last_copy_count();

-- lock: lock_batches
lock table "tidegate"."odd ""schema""__it's a table__batches";

-- read_progress: read_progress
select
    max(fence) as fence,
    max(last_position) as watermark,
    (select count(*) from (select 1 as one from "odd ""schema"""."it's a table" limit 1) as one_row) as target_rows,
    max(case when batch = 1723231637787 then fence end) as batch_fence,
    max(case when batch = 1723231637787 then first_position end) as first_position,
    max(case when batch = 1723231637787 then last_position end) as last_position,
    max(case when batch = 1723231637787 then rows_staged end) as rows_staged,
    max(case when batch = 1723231637787 then rows_inserted end) as rows_inserted,
    max(case when batch = 1723231637787 then rows_updated end) as rows_updated,
    max(case when batch = 1723231637787 then rows_deleted end) as rows_deleted,
    max(case when batch = 1723231637787 then rows_stale end) as rows_stale
from "tidegate"."odd ""schema""__it's a table__batches";

-- merge_empty: keep_newest
create temporary table "tidegate_arrived" as
select
    "order id",
    "li""ne",
    "a",
    "b"::decimal(12,2) as "b",
    "c",
    "d",
    "e",
    "f"::char(3) as "f",
    "g",
    "h",
    "i"::time as "i",
    "j",
    "k"::timestamptz as "k",
    json_parse("l") as "l",
    from_hex("m") as "m",
    from_hex("select") as "select",
    "per%cent {x}; --",
    "_op",
    "_position"
from (
    select
        "order id",
        "li""ne",
        "a",
        "b",
        "c",
        "d",
        "e",
        "f",
        "g",
        "h",
        "i",
        "j",
        "k",
        "l",
        "m",
        "select",
        "per%cent {x}; --",
        "_op",
        "_position",
        row_number() over (
            partition by "order id", "li""ne"
            order by "_position" desc
        ) as "_rank"
    from "tidegate_stage"
) as ranked
where "_rank" = 1;

-- merge_empty: clear_tombstones
delete from "tidegate"."odd ""schema""__it's a table__tombstones"
using "tidegate_arrived"
where "tidegate"."odd ""schema""__it's a table__tombstones"."order id" = "tidegate_arrived"."order id"
    and "tidegate"."odd ""schema""__it's a table__tombstones"."li""ne" = "tidegate_arrived"."li""ne";

-- merge_empty: write_tombstones
insert into "tidegate"."odd ""schema""__it's a table__tombstones" (
    "order id",
    "li""ne",
    "_position",
    "_batch",
    "_deleted_at"
)
select
    "order id",
    "li""ne",
    "_position",
    1723231637787,
    sysdate
from "tidegate_arrived"
where "_op" = 'D';

-- merge_empty: insert_rows
insert into "odd ""schema"""."it's a table" (
    "order id",
    "li""ne",
    "a",
    "b",
    "c",
    "d",
    "e",
    "f",
    "g",
    "h",
    "i",
    "j",
    "k",
    "l",
    "m",
    "select",
    "per%cent {x}; --",
    "_position",
    "_batch",
    "_applied_at"
)
select
    "order id",
    "li""ne",
    "a",
    "b",
    "c",
    "d",
    "e",
    "f",
    "g",
    "h",
    "i",
    "j",
    "k",
    "l",
    "m",
    "select",
    "per%cent {x}; --",
    "_position",
    1723231637787,
    sysdate
from "tidegate_arrived"
where "_op" <> 'D';

-- merge_above_watermark: keep_newest
create temporary table "tidegate_arrived" as
select
    "order id",
    "li""ne",
    "a",
    "b"::decimal(12,2) as "b",
    "c",
    "d",
    "e",
    "f"::char(3) as "f",
    "g",
    "h",
    "i"::time as "i",
    "j",
    "k"::timestamptz as "k",
    json_parse("l") as "l",
    from_hex("m") as "m",
    from_hex("select") as "select",
    "per%cent {x}; --",
    "_op",
    "_position"
from (
    select
        "order id",
        "li""ne",
        "a",
        "b",
        "c",
        "d",
        "e",
        "f",
        "g",
        "h",
        "i",
        "j",
        "k",
        "l",
        "m",
        "select",
        "per%cent {x}; --",
        "_op",
        "_position",
        row_number() over (
            partition by "order id", "li""ne"
            order by "_position" desc
        ) as "_rank"
    from "tidegate_stage"
) as ranked
where "_rank" = 1;

-- merge_above_watermark: count_updates
select
    count(*) - count("odd ""schema"""."it's a table"."order id") as rows_inserted,
    count("odd ""schema"""."it's a table"."order id") as rows_updated
from "tidegate_arrived"
left join "odd ""schema"""."it's a table" on "odd ""schema"""."it's a table"."order id" = "tidegate_arrived"."order id"
    and "odd ""schema"""."it's a table"."li""ne" = "tidegate_arrived"."li""ne"
where "tidegate_arrived"."_op" <> 'D';

-- merge_above_watermark: delete_rows
delete from "odd ""schema"""."it's a table"
using "tidegate_arrived"
where "odd ""schema"""."it's a table"."order id" = "tidegate_arrived"."order id"
    and "odd ""schema"""."it's a table"."li""ne" = "tidegate_arrived"."li""ne"
    and "tidegate_arrived"."_op" = 'D';

-- merge_above_watermark: clear_tombstones
delete from "tidegate"."odd ""schema""__it's a table__tombstones"
using "tidegate_arrived"
where "tidegate"."odd ""schema""__it's a table__tombstones"."order id" = "tidegate_arrived"."order id"
    and "tidegate"."odd ""schema""__it's a table__tombstones"."li""ne" = "tidegate_arrived"."li""ne";

-- merge_above_watermark: write_tombstones
insert into "tidegate"."odd ""schema""__it's a table__tombstones" (
    "order id",
    "li""ne",
    "_position",
    "_batch",
    "_deleted_at"
)
select
    "order id",
    "li""ne",
    "_position",
    1723231637787,
    sysdate
from "tidegate_arrived"
where "_op" = 'D';

-- merge_above_watermark: drop_deletes
delete from "tidegate_arrived"
where "_op" = 'D';

-- merge_above_watermark: merge_rows
merge into "odd ""schema"""."it's a table"
using "tidegate_arrived"
on "odd ""schema"""."it's a table"."order id" = "tidegate_arrived"."order id"
    and "odd ""schema"""."it's a table"."li""ne" = "tidegate_arrived"."li""ne"
when matched then update set
    "a" = "tidegate_arrived"."a",
    "b" = "tidegate_arrived"."b",
    "c" = "tidegate_arrived"."c",
    "d" = "tidegate_arrived"."d",
    "e" = "tidegate_arrived"."e",
    "f" = "tidegate_arrived"."f",
    "g" = "tidegate_arrived"."g",
    "h" = "tidegate_arrived"."h",
    "i" = "tidegate_arrived"."i",
    "j" = "tidegate_arrived"."j",
    "k" = "tidegate_arrived"."k",
    "l" = "tidegate_arrived"."l",
    "m" = "tidegate_arrived"."m",
    "select" = "tidegate_arrived"."select",
    "per%cent {x}; --" = "tidegate_arrived"."per%cent {x}; --",
    "_position" = "tidegate_arrived"."_position",
    "_batch" = 1723231637787,
    "_applied_at" = sysdate
when not matched then insert (
    "order id",
    "li""ne",
    "a",
    "b",
    "c",
    "d",
    "e",
    "f",
    "g",
    "h",
    "i",
    "j",
    "k",
    "l",
    "m",
    "select",
    "per%cent {x}; --",
    "_position",
    "_batch",
    "_applied_at"
) values (
    "tidegate_arrived"."order id",
    "tidegate_arrived"."li""ne",
    "tidegate_arrived"."a",
    "tidegate_arrived"."b",
    "tidegate_arrived"."c",
    "tidegate_arrived"."d",
    "tidegate_arrived"."e",
    "tidegate_arrived"."f",
    "tidegate_arrived"."g",
    "tidegate_arrived"."h",
    "tidegate_arrived"."i",
    "tidegate_arrived"."j",
    "tidegate_arrived"."k",
    "tidegate_arrived"."l",
    "tidegate_arrived"."m",
    "tidegate_arrived"."select",
    "tidegate_arrived"."per%cent {x}; --",
    "tidegate_arrived"."_position",
    1723231637787,
    sysdate
);

-- merge_late: keep_newest
create temporary table "tidegate_arrived" as
select
    "order id",
    "li""ne",
    "a",
    "b"::decimal(12,2) as "b",
    "c",
    "d",
    "e",
    "f"::char(3) as "f",
    "g",
    "h",
    "i"::time as "i",
    "j",
    "k"::timestamptz as "k",
    json_parse("l") as "l",
    from_hex("m") as "m",
    from_hex("select") as "select",
    "per%cent {x}; --",
    "_op",
    "_position"
from (
    select
        "order id",
        "li""ne",
        "a",
        "b",
        "c",
        "d",
        "e",
        "f",
        "g",
        "h",
        "i",
        "j",
        "k",
        "l",
        "m",
        "select",
        "per%cent {x}; --",
        "_op",
        "_position",
        row_number() over (
            partition by "order id", "li""ne"
            order by "_position" desc
        ) as "_rank"
    from "tidegate_stage"
) as ranked
where "_rank" = 1;

-- merge_late: drop_stale_rows
delete from "tidegate_arrived"
using "odd ""schema"""."it's a table"
where "odd ""schema"""."it's a table"."order id" = "tidegate_arrived"."order id"
    and "odd ""schema"""."it's a table"."li""ne" = "tidegate_arrived"."li""ne"
    and "tidegate_arrived"."_position" <= "odd ""schema"""."it's a table"."_position";

-- merge_late: drop_deleted_rows
delete from "tidegate_arrived"
using "tidegate"."odd ""schema""__it's a table__tombstones"
where "tidegate"."odd ""schema""__it's a table__tombstones"."order id" = "tidegate_arrived"."order id"
    and "tidegate"."odd ""schema""__it's a table__tombstones"."li""ne" = "tidegate_arrived"."li""ne"
    and "tidegate_arrived"."_position" <= "tidegate"."odd ""schema""__it's a table__tombstones"."_position";

-- merge_late: count_updates
select
    count(*) - count("odd ""schema"""."it's a table"."order id") as rows_inserted,
    count("odd ""schema"""."it's a table"."order id") as rows_updated
from "tidegate_arrived"
left join "odd ""schema"""."it's a table" on "odd ""schema"""."it's a table"."order id" = "tidegate_arrived"."order id"
    and "odd ""schema"""."it's a table"."li""ne" = "tidegate_arrived"."li""ne"
where "tidegate_arrived"."_op" <> 'D';

-- merge_late: delete_rows
delete from "odd ""schema"""."it's a table"
using "tidegate_arrived"
where "odd ""schema"""."it's a table"."order id" = "tidegate_arrived"."order id"
    and "odd ""schema"""."it's a table"."li""ne" = "tidegate_arrived"."li""ne"
    and "tidegate_arrived"."_op" = 'D';

-- merge_late: clear_tombstones
delete from "tidegate"."odd ""schema""__it's a table__tombstones"
using "tidegate_arrived"
where "tidegate"."odd ""schema""__it's a table__tombstones"."order id" = "tidegate_arrived"."order id"
    and "tidegate"."odd ""schema""__it's a table__tombstones"."li""ne" = "tidegate_arrived"."li""ne";

-- merge_late: write_tombstones
insert into "tidegate"."odd ""schema""__it's a table__tombstones" (
    "order id",
    "li""ne",
    "_position",
    "_batch",
    "_deleted_at"
)
select
    "order id",
    "li""ne",
    "_position",
    1723231637787,
    sysdate
from "tidegate_arrived"
where "_op" = 'D';

-- merge_late: drop_deletes
delete from "tidegate_arrived"
where "_op" = 'D';

-- merge_late: merge_rows
merge into "odd ""schema"""."it's a table"
using "tidegate_arrived"
on "odd ""schema"""."it's a table"."order id" = "tidegate_arrived"."order id"
    and "odd ""schema"""."it's a table"."li""ne" = "tidegate_arrived"."li""ne"
when matched then update set
    "a" = "tidegate_arrived"."a",
    "b" = "tidegate_arrived"."b",
    "c" = "tidegate_arrived"."c",
    "d" = "tidegate_arrived"."d",
    "e" = "tidegate_arrived"."e",
    "f" = "tidegate_arrived"."f",
    "g" = "tidegate_arrived"."g",
    "h" = "tidegate_arrived"."h",
    "i" = "tidegate_arrived"."i",
    "j" = "tidegate_arrived"."j",
    "k" = "tidegate_arrived"."k",
    "l" = "tidegate_arrived"."l",
    "m" = "tidegate_arrived"."m",
    "select" = "tidegate_arrived"."select",
    "per%cent {x}; --" = "tidegate_arrived"."per%cent {x}; --",
    "_position" = "tidegate_arrived"."_position",
    "_batch" = 1723231637787,
    "_applied_at" = sysdate
when not matched then insert (
    "order id",
    "li""ne",
    "a",
    "b",
    "c",
    "d",
    "e",
    "f",
    "g",
    "h",
    "i",
    "j",
    "k",
    "l",
    "m",
    "select",
    "per%cent {x}; --",
    "_position",
    "_batch",
    "_applied_at"
) values (
    "tidegate_arrived"."order id",
    "tidegate_arrived"."li""ne",
    "tidegate_arrived"."a",
    "tidegate_arrived"."b",
    "tidegate_arrived"."c",
    "tidegate_arrived"."d",
    "tidegate_arrived"."e",
    "tidegate_arrived"."f",
    "tidegate_arrived"."g",
    "tidegate_arrived"."h",
    "tidegate_arrived"."i",
    "tidegate_arrived"."j",
    "tidegate_arrived"."k",
    "tidegate_arrived"."l",
    "tidegate_arrived"."m",
    "tidegate_arrived"."select",
    "tidegate_arrived"."per%cent {x}; --",
    "tidegate_arrived"."_position",
    1723231637787,
    sysdate
);

-- write_batch: write_batch
insert into "tidegate"."odd ""schema""__it's a table__batches" (
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

-- columns: order id
alter table "odd ""schema"""."it's a table" add column "order id" bigint;

-- columns: li"ne
alter table "odd ""schema"""."it's a table" add column "li""ne" smallint;

-- columns: a
alter table "odd ""schema"""."it's a table" add column "a" integer;

-- columns: b
alter table "odd ""schema"""."it's a table" add column "b" decimal(12,2);

-- columns: c
alter table "odd ""schema"""."it's a table" add column "c" real;

-- columns: d
alter table "odd ""schema"""."it's a table" add column "d" double precision;

-- columns: e
alter table "odd ""schema"""."it's a table" add column "e" boolean;

-- columns: f
alter table "odd ""schema"""."it's a table" add column "f" char(3);

-- columns: g
alter table "odd ""schema"""."it's a table" add column "g" varchar(256);

-- columns: h
alter table "odd ""schema"""."it's a table" add column "h" date;

-- columns: i
alter table "odd ""schema"""."it's a table" add column "i" time;

-- columns: j
alter table "odd ""schema"""."it's a table" add column "j" timestamp;

-- columns: k
alter table "odd ""schema"""."it's a table" add column "k" timestamptz;

-- columns: l
alter table "odd ""schema"""."it's a table" add column "l" super;

-- columns: m
alter table "odd ""schema"""."it's a table" add column "m" varbyte;

-- columns: select
alter table "odd ""schema"""."it's a table" add column "select" varbyte(16);

-- columns: per%cent {x}; --
alter table "odd ""schema"""."it's a table" add column "per%cent {x}; --" varchar(9);

-- columns: _position
alter table "odd ""schema"""."it's a table" add column "_position" varchar(512) default '';

-- columns: _batch
alter table "odd ""schema"""."it's a table" add column "_batch" bigint;

-- columns: _applied_at
alter table "odd ""schema"""."it's a table" add column "_applied_at" timestamp;

-- columns: order id
alter table "tidegate"."odd ""schema""__it's a table__tombstones" add column "order id" bigint;

-- columns: li"ne
alter table "tidegate"."odd ""schema""__it's a table__tombstones" add column "li""ne" smallint;
