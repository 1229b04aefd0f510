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
    or (table_schema = 'tidegate' and table_name in ('sales__orders__batches', 'sales__orders__change_log', 'sales__orders__truncations'));

-- count_batches: count_batches
select count(*)
from "tidegate"."sales__orders__batches";

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

-- create: create_change_log
create table if not exists "tidegate"."sales__orders__change_log" (
    "id" integer,
    "name" varchar(20),
    "_op" varchar(1),
    "_position" varchar(512),
    "_carried" varchar(2),
    "_batch" bigint
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
    "_position" varchar(512),
    "_carried" varchar(2)
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

-- merge_empty: write_truncations
insert into "tidegate"."sales__orders__truncations" (
    "_position",
    "_batch",
    "_changed_at"
)
select
    "tidegate_stage"."_position",
    1723231637787,
    null
from "tidegate_stage"
left join "tidegate"."sales__orders__truncations" on "tidegate"."sales__orders__truncations"."_position" = "tidegate_stage"."_position"
where "tidegate_stage"."_op" = 'T'
    and "tidegate"."sales__orders__truncations"."_position" is null;

-- merge_empty: spread_truncations
insert into "tidegate_stage" (
    "id",
    "_op",
    "_position"
)
select
    "id",
    'D',
    "_position"
from (
    select
        "tidegate_stage"."id",
        "tidegate"."sales__orders__truncations"."_position"
    from "tidegate_stage"
    join "tidegate"."sales__orders__truncations" on "tidegate_stage"."_position" < "tidegate"."sales__orders__truncations"."_position"
    left join "tidegate"."sales__orders__change_log"
    on "tidegate"."sales__orders__change_log"."_position" = "tidegate"."sales__orders__truncations"."_position"
    and "tidegate"."sales__orders__change_log"."id" = "tidegate_stage"."id"
    where "tidegate_stage"."_op" <> 'T'
        and "tidegate"."sales__orders__change_log"."_position" is null
    union
    select
        "tidegate"."sales__orders__change_log"."id",
        "tidegate"."sales__orders__truncations"."_position"
    from "tidegate"."sales__orders__change_log"
    join "tidegate"."sales__orders__truncations" on "tidegate"."sales__orders__change_log"."_position" < "tidegate"."sales__orders__truncations"."_position"
    where "tidegate"."sales__orders__truncations"."_batch" = 1723231637787
) as ended;

-- merge_empty: drop_truncations
delete from "tidegate_stage"
where "_op" = 'T';

-- merge_empty: log_changes
insert into "tidegate"."sales__orders__change_log" (
    "id",
    "name",
    "_op",
    "_position",
    "_carried",
    "_batch"
)
select
    "id",
    "name",
    "_op",
    "_position",
    "_carried",
    1723231637787
from "tidegate_stage";

-- merge_empty: make_rows
create temporary table "tidegate_rows" as
with touched as (
    select distinct
        "id"
    from "tidegate_stage"
),

known as (
    select
        "tidegate"."sales__orders__change_log"."id",
        "tidegate"."sales__orders__change_log"."name",
        "tidegate"."sales__orders__change_log"."_op",
        "tidegate"."sales__orders__change_log"."_position",
        "tidegate"."sales__orders__change_log"."_carried",
        max(case when "tidegate"."sales__orders__change_log"."_op" = 'D' then "tidegate"."sales__orders__change_log"."_position" end) over (
            partition by "tidegate"."sales__orders__change_log"."id"
        ) as "_deleted_at",
        row_number() over (
            partition by "tidegate"."sales__orders__change_log"."id"
            order by "tidegate"."sales__orders__change_log"."_position" desc
        ) as "_rank"
    from "tidegate"."sales__orders__change_log"
    join touched on "tidegate"."sales__orders__change_log"."id" = touched."id"
),

-- A delete drops the earlier changes of its key. The delete itself stays if it is the newest.
living as (
    select *
    from known
    where "_deleted_at" is null
        or "_position" > "_deleted_at"
        or "_rank" = 1
),

filled as (
    select
        first_value("id") over (partition by "id" order by case when "_op" <> 'D' and substring("_carried", 1, 1) = '1' then "_position" end desc nulls last rows between unbounded preceding and unbounded following) as "id",
        first_value("name") over (partition by "id" order by case when "_op" <> 'D' and substring("_carried", 2, 1) = '1' then "_position" end desc nulls last rows between unbounded preceding and unbounded following) as "name",
        "_op",
        "_position",
        "_rank"
    from living
)

select
    "id",
    "name",
    "_op",
    "_position"
from filled
where "_rank" = 1;

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
from "tidegate_rows"
where "_op" <> 'D';

-- merge_empty: make_superseded
create temporary table "tidegate_superseded" as
with touched as (
    select distinct
        "id"
    from "tidegate_stage"
),

known as (
    select
        "tidegate"."sales__orders__change_log"."id",
        "tidegate"."sales__orders__change_log"."_op",
        "tidegate"."sales__orders__change_log"."_position",
        "tidegate"."sales__orders__change_log"."_carried"
    from "tidegate"."sales__orders__change_log"
    join touched on "tidegate"."sales__orders__change_log"."id" = touched."id"
),

compared as (
    select
        "id",
        "_op",
        "_position",
        max(case when "_op" = 'D' then "_position" end) over (
            partition by "id"
        ) as "_deleted_at",
        max(case when "_op" <> 'D' and substring("_carried", 1, 1) = '1' then "_position" end) over (partition by "id") as "_newest_1",
        max(case when "_op" <> 'D' and substring("_carried", 2, 1) = '1' then "_position" end) over (partition by "id") as "_newest_2"
    from known
)

select
    "id",
    "_position"
from compared
where "_position" < "_deleted_at"
    or (
        "_op" <> 'D'
        and "_position" <> coalesce("_newest_1", '')
        and "_position" <> coalesce("_newest_2", '')
    );

-- merge_empty: forget_superseded
delete from "tidegate"."sales__orders__change_log"
using "tidegate_superseded"
where "tidegate"."sales__orders__change_log"."id" = "tidegate_superseded"."id"
    and "tidegate"."sales__orders__change_log"."_position" = "tidegate_superseded"."_position";

-- merge_above_watermark: write_truncations
insert into "tidegate"."sales__orders__truncations" (
    "_position",
    "_batch",
    "_changed_at"
)
select
    "tidegate_stage"."_position",
    1723231637787,
    null
from "tidegate_stage"
left join "tidegate"."sales__orders__truncations" on "tidegate"."sales__orders__truncations"."_position" = "tidegate_stage"."_position"
where "tidegate_stage"."_op" = 'T'
    and "tidegate"."sales__orders__truncations"."_position" is null;

-- merge_above_watermark: spread_truncations
insert into "tidegate_stage" (
    "id",
    "_op",
    "_position"
)
select
    "id",
    'D',
    "_position"
from (
    select
        "tidegate_stage"."id",
        "tidegate"."sales__orders__truncations"."_position"
    from "tidegate_stage"
    join "tidegate"."sales__orders__truncations" on "tidegate_stage"."_position" < "tidegate"."sales__orders__truncations"."_position"
    left join "tidegate"."sales__orders__change_log"
    on "tidegate"."sales__orders__change_log"."_position" = "tidegate"."sales__orders__truncations"."_position"
    and "tidegate"."sales__orders__change_log"."id" = "tidegate_stage"."id"
    where "tidegate_stage"."_op" <> 'T'
        and "tidegate"."sales__orders__change_log"."_position" is null
    union
    select
        "tidegate"."sales__orders__change_log"."id",
        "tidegate"."sales__orders__truncations"."_position"
    from "tidegate"."sales__orders__change_log"
    join "tidegate"."sales__orders__truncations" on "tidegate"."sales__orders__change_log"."_position" < "tidegate"."sales__orders__truncations"."_position"
    where "tidegate"."sales__orders__truncations"."_batch" = 1723231637787
) as ended;

-- merge_above_watermark: drop_truncations
delete from "tidegate_stage"
where "_op" = 'T';

-- merge_above_watermark: log_changes
insert into "tidegate"."sales__orders__change_log" (
    "id",
    "name",
    "_op",
    "_position",
    "_carried",
    "_batch"
)
select
    "id",
    "name",
    "_op",
    "_position",
    "_carried",
    1723231637787
from "tidegate_stage";

-- merge_above_watermark: make_rows
create temporary table "tidegate_rows" as
with touched as (
    select distinct
        "id"
    from "tidegate_stage"
),

known as (
    select
        "tidegate"."sales__orders__change_log"."id",
        "tidegate"."sales__orders__change_log"."name",
        "tidegate"."sales__orders__change_log"."_op",
        "tidegate"."sales__orders__change_log"."_position",
        "tidegate"."sales__orders__change_log"."_carried",
        max(case when "tidegate"."sales__orders__change_log"."_op" = 'D' then "tidegate"."sales__orders__change_log"."_position" end) over (
            partition by "tidegate"."sales__orders__change_log"."id"
        ) as "_deleted_at",
        row_number() over (
            partition by "tidegate"."sales__orders__change_log"."id"
            order by "tidegate"."sales__orders__change_log"."_position" desc
        ) as "_rank"
    from "tidegate"."sales__orders__change_log"
    join touched on "tidegate"."sales__orders__change_log"."id" = touched."id"
),

-- A delete drops the earlier changes of its key. The delete itself stays if it is the newest.
living as (
    select *
    from known
    where "_deleted_at" is null
        or "_position" > "_deleted_at"
        or "_rank" = 1
),

filled as (
    select
        first_value("id") over (partition by "id" order by case when "_op" <> 'D' and substring("_carried", 1, 1) = '1' then "_position" end desc nulls last rows between unbounded preceding and unbounded following) as "id",
        first_value("name") over (partition by "id" order by case when "_op" <> 'D' and substring("_carried", 2, 1) = '1' then "_position" end desc nulls last rows between unbounded preceding and unbounded following) as "name",
        "_op",
        "_position",
        "_rank"
    from living
)

select
    "id",
    "name",
    "_op",
    "_position"
from filled
where "_rank" = 1;

-- merge_above_watermark: count_updates
select
    count(*) - count("sales"."orders"."id") as rows_inserted,
    count("sales"."orders"."id") as rows_updated
from "tidegate_rows"
left join "sales"."orders" on "sales"."orders"."id" = "tidegate_rows"."id"
where "tidegate_rows"."_op" <> 'D';

-- merge_above_watermark: delete_rows
delete from "sales"."orders"
using "tidegate_rows"
where "sales"."orders"."id" = "tidegate_rows"."id"
    and "tidegate_rows"."_op" = 'D';

-- merge_above_watermark: drop_deletes
delete from "tidegate_rows"
where "_op" = 'D';

-- merge_above_watermark: merge_rows
merge into "sales"."orders"
using "tidegate_rows"
on "sales"."orders"."id" = "tidegate_rows"."id"
when matched then update set
    "name" = "tidegate_rows"."name",
    "_position" = "tidegate_rows"."_position",
    "_batch" = 1723231637787,
    "_applied_at" = sysdate
when not matched then insert (
    "id",
    "name",
    "_position",
    "_batch",
    "_applied_at"
) values (
    "tidegate_rows"."id",
    "tidegate_rows"."name",
    "tidegate_rows"."_position",
    1723231637787,
    sysdate
);

-- merge_above_watermark: make_superseded
create temporary table "tidegate_superseded" as
with touched as (
    select distinct
        "id"
    from "tidegate_stage"
),

known as (
    select
        "tidegate"."sales__orders__change_log"."id",
        "tidegate"."sales__orders__change_log"."_op",
        "tidegate"."sales__orders__change_log"."_position",
        "tidegate"."sales__orders__change_log"."_carried"
    from "tidegate"."sales__orders__change_log"
    join touched on "tidegate"."sales__orders__change_log"."id" = touched."id"
),

compared as (
    select
        "id",
        "_op",
        "_position",
        max(case when "_op" = 'D' then "_position" end) over (
            partition by "id"
        ) as "_deleted_at",
        max(case when "_op" <> 'D' and substring("_carried", 1, 1) = '1' then "_position" end) over (partition by "id") as "_newest_1",
        max(case when "_op" <> 'D' and substring("_carried", 2, 1) = '1' then "_position" end) over (partition by "id") as "_newest_2"
    from known
)

select
    "id",
    "_position"
from compared
where "_position" < "_deleted_at"
    or (
        "_op" <> 'D'
        and "_position" <> coalesce("_newest_1", '')
        and "_position" <> coalesce("_newest_2", '')
    );

-- merge_above_watermark: forget_superseded
delete from "tidegate"."sales__orders__change_log"
using "tidegate_superseded"
where "tidegate"."sales__orders__change_log"."id" = "tidegate_superseded"."id"
    and "tidegate"."sales__orders__change_log"."_position" = "tidegate_superseded"."_position";

-- merge_late: write_truncations
insert into "tidegate"."sales__orders__truncations" (
    "_position",
    "_batch",
    "_changed_at"
)
select
    "tidegate_stage"."_position",
    1723231637787,
    null
from "tidegate_stage"
left join "tidegate"."sales__orders__truncations" on "tidegate"."sales__orders__truncations"."_position" = "tidegate_stage"."_position"
where "tidegate_stage"."_op" = 'T'
    and "tidegate"."sales__orders__truncations"."_position" is null;

-- merge_late: spread_truncations
insert into "tidegate_stage" (
    "id",
    "_op",
    "_position"
)
select
    "id",
    'D',
    "_position"
from (
    select
        "tidegate_stage"."id",
        "tidegate"."sales__orders__truncations"."_position"
    from "tidegate_stage"
    join "tidegate"."sales__orders__truncations" on "tidegate_stage"."_position" < "tidegate"."sales__orders__truncations"."_position"
    left join "tidegate"."sales__orders__change_log"
    on "tidegate"."sales__orders__change_log"."_position" = "tidegate"."sales__orders__truncations"."_position"
    and "tidegate"."sales__orders__change_log"."id" = "tidegate_stage"."id"
    where "tidegate_stage"."_op" <> 'T'
        and "tidegate"."sales__orders__change_log"."_position" is null
    union
    select
        "tidegate"."sales__orders__change_log"."id",
        "tidegate"."sales__orders__truncations"."_position"
    from "tidegate"."sales__orders__change_log"
    join "tidegate"."sales__orders__truncations" on "tidegate"."sales__orders__change_log"."_position" < "tidegate"."sales__orders__truncations"."_position"
    where "tidegate"."sales__orders__truncations"."_batch" = 1723231637787
) as ended;

-- merge_late: drop_truncations
delete from "tidegate_stage"
where "_op" = 'T';

-- merge_late: drop_logged
delete from "tidegate_stage"
using "tidegate"."sales__orders__change_log"
where "tidegate"."sales__orders__change_log"."id" = "tidegate_stage"."id"
    and "tidegate_stage"."_position" = "tidegate"."sales__orders__change_log"."_position";

-- merge_late: log_changes
insert into "tidegate"."sales__orders__change_log" (
    "id",
    "name",
    "_op",
    "_position",
    "_carried",
    "_batch"
)
select
    "id",
    "name",
    "_op",
    "_position",
    "_carried",
    1723231637787
from "tidegate_stage";

-- merge_late: make_rows
create temporary table "tidegate_rows" as
with touched as (
    select distinct
        "id"
    from "tidegate_stage"
),

known as (
    select
        "tidegate"."sales__orders__change_log"."id",
        "tidegate"."sales__orders__change_log"."name",
        "tidegate"."sales__orders__change_log"."_op",
        "tidegate"."sales__orders__change_log"."_position",
        "tidegate"."sales__orders__change_log"."_carried",
        max(case when "tidegate"."sales__orders__change_log"."_op" = 'D' then "tidegate"."sales__orders__change_log"."_position" end) over (
            partition by "tidegate"."sales__orders__change_log"."id"
        ) as "_deleted_at",
        row_number() over (
            partition by "tidegate"."sales__orders__change_log"."id"
            order by "tidegate"."sales__orders__change_log"."_position" desc
        ) as "_rank"
    from "tidegate"."sales__orders__change_log"
    join touched on "tidegate"."sales__orders__change_log"."id" = touched."id"
),

-- A delete drops the earlier changes of its key. The delete itself stays if it is the newest.
living as (
    select *
    from known
    where "_deleted_at" is null
        or "_position" > "_deleted_at"
        or "_rank" = 1
),

filled as (
    select
        first_value("id") over (partition by "id" order by case when "_op" <> 'D' and substring("_carried", 1, 1) = '1' then "_position" end desc nulls last rows between unbounded preceding and unbounded following) as "id",
        first_value("name") over (partition by "id" order by case when "_op" <> 'D' and substring("_carried", 2, 1) = '1' then "_position" end desc nulls last rows between unbounded preceding and unbounded following) as "name",
        "_op",
        "_position",
        "_rank"
    from living
)

select
    "id",
    "name",
    "_op",
    "_position"
from filled
where "_rank" = 1;

-- merge_late: count_updates
select
    count(*) - count("sales"."orders"."id") as rows_inserted,
    count("sales"."orders"."id") as rows_updated
from "tidegate_rows"
left join "sales"."orders" on "sales"."orders"."id" = "tidegate_rows"."id"
where "tidegate_rows"."_op" <> 'D';

-- merge_late: delete_rows
delete from "sales"."orders"
using "tidegate_rows"
where "sales"."orders"."id" = "tidegate_rows"."id"
    and "tidegate_rows"."_op" = 'D';

-- merge_late: drop_deletes
delete from "tidegate_rows"
where "_op" = 'D';

-- merge_late: merge_rows
merge into "sales"."orders"
using "tidegate_rows"
on "sales"."orders"."id" = "tidegate_rows"."id"
when matched then update set
    "name" = "tidegate_rows"."name",
    "_position" = "tidegate_rows"."_position",
    "_batch" = 1723231637787,
    "_applied_at" = sysdate
when not matched then insert (
    "id",
    "name",
    "_position",
    "_batch",
    "_applied_at"
) values (
    "tidegate_rows"."id",
    "tidegate_rows"."name",
    "tidegate_rows"."_position",
    1723231637787,
    sysdate
);

-- merge_late: make_superseded
create temporary table "tidegate_superseded" as
with touched as (
    select distinct
        "id"
    from "tidegate_stage"
),

known as (
    select
        "tidegate"."sales__orders__change_log"."id",
        "tidegate"."sales__orders__change_log"."_op",
        "tidegate"."sales__orders__change_log"."_position",
        "tidegate"."sales__orders__change_log"."_carried"
    from "tidegate"."sales__orders__change_log"
    join touched on "tidegate"."sales__orders__change_log"."id" = touched."id"
),

compared as (
    select
        "id",
        "_op",
        "_position",
        max(case when "_op" = 'D' then "_position" end) over (
            partition by "id"
        ) as "_deleted_at",
        max(case when "_op" <> 'D' and substring("_carried", 1, 1) = '1' then "_position" end) over (partition by "id") as "_newest_1",
        max(case when "_op" <> 'D' and substring("_carried", 2, 1) = '1' then "_position" end) over (partition by "id") as "_newest_2"
    from known
)

select
    "id",
    "_position"
from compared
where "_position" < "_deleted_at"
    or (
        "_op" <> 'D'
        and "_position" <> coalesce("_newest_1", '')
        and "_position" <> coalesce("_newest_2", '')
    );

-- merge_late: forget_superseded
delete from "tidegate"."sales__orders__change_log"
using "tidegate_superseded"
where "tidegate"."sales__orders__change_log"."id" = "tidegate_superseded"."id"
    and "tidegate"."sales__orders__change_log"."_position" = "tidegate_superseded"."_position";

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

-- columns: _batch
alter table "sales"."orders" add column "_batch" bigint;

-- columns: _applied_at
alter table "sales"."orders" add column "_applied_at" timestamp;

-- columns: id
alter table "tidegate"."sales__orders__change_log" add column "id" integer;

-- columns: name
alter table "tidegate"."sales__orders__change_log" add column "name" varchar(20);

-- columns: _op
alter table "tidegate"."sales__orders__change_log" add column "_op" varchar(1);

-- columns: _position
alter table "tidegate"."sales__orders__change_log" add column "_position" varchar(512);

-- columns: _carried
alter table "tidegate"."sales__orders__change_log" add column "_carried" varchar(2);

-- widen: _carried
alter table "tidegate"."sales__orders__change_log" alter column "_carried" type varchar(…);
