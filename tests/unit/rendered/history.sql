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
    "region" char(2) not null,
    "name" varchar(20),
    "valid_from" timestamp,
    "valid_to" timestamp,
    "is_current" boolean,
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
    "region" char(2),
    "name" varchar(20),
    "_op" varchar(1),
    "_position" varchar(512),
    "_changed_at" timestamp,
    "_digest" varchar(32),
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
    "region" varchar(65535),
    "name" varchar(20),
    "_op" varchar(1),
    "_position" varchar(512),
    "_changed_at" timestamp,
    "_digest" varchar(32)
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
    "region"::char(2) as "region",
    "name",
    "_op",
    "_position",
    "_changed_at",
    "_digest"
from (
    select
        "id",
        "region",
        "name",
        "_op",
        "_position",
        "_changed_at",
        "_digest",
        row_number() over (
            partition by "id", "region", "_position"
            order by "_position" desc
        ) as "_rank"
    from "tidegate_stage"
) as ranked
where "_rank" = 1;

-- merge_empty: write_truncations
insert into "tidegate"."sales__orders__truncations" (
    "_position",
    "_batch",
    "_changed_at"
)
select
    "tidegate_arrived"."_position",
    1723231637787,
    "tidegate_arrived"."_changed_at"
from "tidegate_arrived"
left join "tidegate"."sales__orders__truncations" on "tidegate"."sales__orders__truncations"."_position" = "tidegate_arrived"."_position"
where "tidegate_arrived"."_op" = 'T'
    and "tidegate"."sales__orders__truncations"."_position" is null;

-- merge_empty: spread_truncations
insert into "tidegate_arrived" (
    "id",
    "region",
    "_op",
    "_position",
    "_changed_at"
)
select
    "id",
    "region",
    'D',
    "_position",
    "_changed_at"
from (
    select
        "tidegate_arrived"."id",
        "tidegate_arrived"."region",
        "tidegate"."sales__orders__truncations"."_position",
        "tidegate"."sales__orders__truncations"."_changed_at"
    from "tidegate_arrived"
    join "tidegate"."sales__orders__truncations" on "tidegate_arrived"."_position" < "tidegate"."sales__orders__truncations"."_position"
    left join "tidegate"."sales__orders__change_log"
    on "tidegate"."sales__orders__change_log"."_position" = "tidegate"."sales__orders__truncations"."_position"
    and "tidegate"."sales__orders__change_log"."id" = "tidegate_arrived"."id"
    and "tidegate"."sales__orders__change_log"."region" = "tidegate_arrived"."region"
    where "tidegate_arrived"."_op" <> 'T'
        and "tidegate"."sales__orders__change_log"."_position" is null
    union
    select
        "tidegate"."sales__orders__change_log"."id",
        "tidegate"."sales__orders__change_log"."region",
        "tidegate"."sales__orders__truncations"."_position",
        "tidegate"."sales__orders__truncations"."_changed_at"
    from "tidegate"."sales__orders__change_log"
    join "tidegate"."sales__orders__truncations" on "tidegate"."sales__orders__change_log"."_position" < "tidegate"."sales__orders__truncations"."_position"
    where "tidegate"."sales__orders__truncations"."_batch" = 1723231637787
) as ended;

-- merge_empty: drop_truncations
delete from "tidegate_arrived"
where "_op" = 'T';

-- merge_empty: log_changes
insert into "tidegate"."sales__orders__change_log" (
    "id",
    "region",
    "name",
    "_op",
    "_position",
    "_changed_at",
    "_digest",
    "_batch"
)
select
    "id",
    "region",
    "name",
    "_op",
    "_position",
    "_changed_at",
    "_digest",
    1723231637787
from "tidegate_arrived";

-- merge_empty: make_versions
create temporary table "tidegate_versions" as
with touched as (
    select distinct
        "id",
        "region"
    from "tidegate_arrived"
),

known as (
    select
        "tidegate"."sales__orders__change_log"."id",
        "tidegate"."sales__orders__change_log"."region",
        "tidegate"."sales__orders__change_log"."_op",
        "tidegate"."sales__orders__change_log"."_digest",
        "tidegate"."sales__orders__change_log"."_position",
        "tidegate"."sales__orders__change_log"."_changed_at",
        substring("tidegate"."sales__orders__change_log"."_position", 8, 1) as "_kind",
        min(
            case
                when substring("tidegate"."sales__orders__change_log"."_position", 8, 1) = '1'
                then "tidegate"."sales__orders__change_log"."_changed_at"
            end
        ) over (
            partition by "tidegate"."sales__orders__change_log"."id", "tidegate"."sales__orders__change_log"."region"
            order by "tidegate"."sales__orders__change_log"."_position" desc
            rows unbounded preceding
        ) as "_followed_at",
        max(
            case
                when substring("tidegate"."sales__orders__change_log"."_position", 8, 1) = '0'
                then "tidegate"."sales__orders__change_log"."_changed_at"
            end
        ) over (
            partition by "tidegate"."sales__orders__change_log"."id", "tidegate"."sales__orders__change_log"."region"
            order by "tidegate"."sales__orders__change_log"."_position"
            rows between unbounded preceding and 1 preceding
        ) as "_told_at"
    from "tidegate"."sales__orders__change_log"
    join touched on "tidegate"."sales__orders__change_log"."id" = touched."id"
        and "tidegate"."sales__orders__change_log"."region" = touched."region"
),

-- A row of a snapshot comes before all changes of its key. If there are changes, it makes a version
-- only if its time is not after theirs, and is after the time of the snapshot before it.
-- An event is never earlier than the events before it: "_since" is their latest time.
events as (
    select
        "id",
        "region",
        "_op",
        "_digest",
        "_position",
        max("_changed_at") over (
            partition by "id", "region"
            order by "_position"
            rows unbounded preceding
        ) as "_since",
        lag("_op") over (
            partition by "id", "region"
            order by "_position"
        ) as "_op_before",
        lag("_digest") over (
            partition by "id", "region"
            order by "_position"
        ) as "_digest_before"
    from known
    where "_kind" <> '0'
        or "_followed_at" is null
        or (
            "_changed_at" <= "_followed_at"
            and ("_told_at" is null or "_changed_at" > "_told_at")
        )
),

counted as (
    select
        "id",
        "region",
        "_op",
        "_position",
        "_since",
        sum(
            case
                when "_op" = 'D' then 0
                when "_op_before" = 'D' then 1
                when "_digest" = "_digest_before" then 0
                else 1
            end
        ) over (
            partition by "id", "region"
            order by "_position"
            rows unbounded preceding
        ) as "_version"
    from events
),

versions as (
    select
        "id",
        "region",
        "_version",
        min(case when "_op" <> 'D' then "_since" end) as "_from",
        min(case when "_op" = 'D' then "_since" end) as "_deleted_at",
        max(case when "_op" <> 'D' then "_position" end) as "_position"
    from counted
    where "_version" > 0
    group by
        "id",
        "region",
        "_version"
)

select
    "id",
    "region",
    "_position",
    "_from" as "_valid_from",
    coalesce(
        "_deleted_at",
        lead("_from") over (
            partition by "id", "region"
            order by "_version"
        )
    ) as "_valid_to"
from versions;

-- merge_empty: insert_versions
insert into "sales"."orders" (
    "id",
    "region",
    "name",
    "valid_from",
    "valid_to",
    "is_current",
    "_position",
    "_batch",
    "_applied_at"
)
select
    "tidegate"."sales__orders__change_log"."id",
    "tidegate"."sales__orders__change_log"."region",
    "tidegate"."sales__orders__change_log"."name",
    "tidegate_versions"."_valid_from",
    "tidegate_versions"."_valid_to",
    "tidegate_versions"."_valid_to" is null,
    "tidegate"."sales__orders__change_log"."_position",
    "tidegate"."sales__orders__change_log"."_batch",
    sysdate
from "tidegate"."sales__orders__change_log"
join "tidegate_versions" on "tidegate"."sales__orders__change_log"."id" = "tidegate_versions"."id"
    and "tidegate"."sales__orders__change_log"."region" = "tidegate_versions"."region"
    and "tidegate"."sales__orders__change_log"."_position" = "tidegate_versions"."_position"
-- A version that ends when it begins was never visible.
where "tidegate_versions"."_valid_to" is null
    or "tidegate_versions"."_valid_from" < "tidegate_versions"."_valid_to";

-- merge_above_watermark: keep_newest
create temporary table "tidegate_arrived" as
select
    "id",
    "region"::char(2) as "region",
    "name",
    "_op",
    "_position",
    "_changed_at",
    "_digest"
from (
    select
        "id",
        "region",
        "name",
        "_op",
        "_position",
        "_changed_at",
        "_digest",
        row_number() over (
            partition by "id", "region", "_position"
            order by "_position" desc
        ) as "_rank"
    from "tidegate_stage"
) as ranked
where "_rank" = 1;

-- merge_above_watermark: write_truncations
insert into "tidegate"."sales__orders__truncations" (
    "_position",
    "_batch",
    "_changed_at"
)
select
    "tidegate_arrived"."_position",
    1723231637787,
    "tidegate_arrived"."_changed_at"
from "tidegate_arrived"
left join "tidegate"."sales__orders__truncations" on "tidegate"."sales__orders__truncations"."_position" = "tidegate_arrived"."_position"
where "tidegate_arrived"."_op" = 'T'
    and "tidegate"."sales__orders__truncations"."_position" is null;

-- merge_above_watermark: spread_truncations
insert into "tidegate_arrived" (
    "id",
    "region",
    "_op",
    "_position",
    "_changed_at"
)
select
    "id",
    "region",
    'D',
    "_position",
    "_changed_at"
from (
    select
        "tidegate_arrived"."id",
        "tidegate_arrived"."region",
        "tidegate"."sales__orders__truncations"."_position",
        "tidegate"."sales__orders__truncations"."_changed_at"
    from "tidegate_arrived"
    join "tidegate"."sales__orders__truncations" on "tidegate_arrived"."_position" < "tidegate"."sales__orders__truncations"."_position"
    left join "tidegate"."sales__orders__change_log"
    on "tidegate"."sales__orders__change_log"."_position" = "tidegate"."sales__orders__truncations"."_position"
    and "tidegate"."sales__orders__change_log"."id" = "tidegate_arrived"."id"
    and "tidegate"."sales__orders__change_log"."region" = "tidegate_arrived"."region"
    where "tidegate_arrived"."_op" <> 'T'
        and "tidegate"."sales__orders__change_log"."_position" is null
    union
    select
        "tidegate"."sales__orders__change_log"."id",
        "tidegate"."sales__orders__change_log"."region",
        "tidegate"."sales__orders__truncations"."_position",
        "tidegate"."sales__orders__truncations"."_changed_at"
    from "tidegate"."sales__orders__change_log"
    join "tidegate"."sales__orders__truncations" on "tidegate"."sales__orders__change_log"."_position" < "tidegate"."sales__orders__truncations"."_position"
    where "tidegate"."sales__orders__truncations"."_batch" = 1723231637787
) as ended;

-- merge_above_watermark: drop_truncations
delete from "tidegate_arrived"
where "_op" = 'T';

-- merge_above_watermark: log_changes
insert into "tidegate"."sales__orders__change_log" (
    "id",
    "region",
    "name",
    "_op",
    "_position",
    "_changed_at",
    "_digest",
    "_batch"
)
select
    "id",
    "region",
    "name",
    "_op",
    "_position",
    "_changed_at",
    "_digest",
    1723231637787
from "tidegate_arrived";

-- merge_above_watermark: make_versions
create temporary table "tidegate_versions" as
with touched as (
    select distinct
        "id",
        "region"
    from "tidegate_arrived"
),

known as (
    select
        "tidegate"."sales__orders__change_log"."id",
        "tidegate"."sales__orders__change_log"."region",
        "tidegate"."sales__orders__change_log"."_op",
        "tidegate"."sales__orders__change_log"."_digest",
        "tidegate"."sales__orders__change_log"."_position",
        "tidegate"."sales__orders__change_log"."_changed_at",
        substring("tidegate"."sales__orders__change_log"."_position", 8, 1) as "_kind",
        min(
            case
                when substring("tidegate"."sales__orders__change_log"."_position", 8, 1) = '1'
                then "tidegate"."sales__orders__change_log"."_changed_at"
            end
        ) over (
            partition by "tidegate"."sales__orders__change_log"."id", "tidegate"."sales__orders__change_log"."region"
            order by "tidegate"."sales__orders__change_log"."_position" desc
            rows unbounded preceding
        ) as "_followed_at",
        max(
            case
                when substring("tidegate"."sales__orders__change_log"."_position", 8, 1) = '0'
                then "tidegate"."sales__orders__change_log"."_changed_at"
            end
        ) over (
            partition by "tidegate"."sales__orders__change_log"."id", "tidegate"."sales__orders__change_log"."region"
            order by "tidegate"."sales__orders__change_log"."_position"
            rows between unbounded preceding and 1 preceding
        ) as "_told_at"
    from "tidegate"."sales__orders__change_log"
    join touched on "tidegate"."sales__orders__change_log"."id" = touched."id"
        and "tidegate"."sales__orders__change_log"."region" = touched."region"
),

-- A row of a snapshot comes before all changes of its key. If there are changes, it makes a version
-- only if its time is not after theirs, and is after the time of the snapshot before it.
-- An event is never earlier than the events before it: "_since" is their latest time.
events as (
    select
        "id",
        "region",
        "_op",
        "_digest",
        "_position",
        max("_changed_at") over (
            partition by "id", "region"
            order by "_position"
            rows unbounded preceding
        ) as "_since",
        lag("_op") over (
            partition by "id", "region"
            order by "_position"
        ) as "_op_before",
        lag("_digest") over (
            partition by "id", "region"
            order by "_position"
        ) as "_digest_before"
    from known
    where "_kind" <> '0'
        or "_followed_at" is null
        or (
            "_changed_at" <= "_followed_at"
            and ("_told_at" is null or "_changed_at" > "_told_at")
        )
),

counted as (
    select
        "id",
        "region",
        "_op",
        "_position",
        "_since",
        sum(
            case
                when "_op" = 'D' then 0
                when "_op_before" = 'D' then 1
                when "_digest" = "_digest_before" then 0
                else 1
            end
        ) over (
            partition by "id", "region"
            order by "_position"
            rows unbounded preceding
        ) as "_version"
    from events
),

versions as (
    select
        "id",
        "region",
        "_version",
        min(case when "_op" <> 'D' then "_since" end) as "_from",
        min(case when "_op" = 'D' then "_since" end) as "_deleted_at",
        max(case when "_op" <> 'D' then "_position" end) as "_position"
    from counted
    where "_version" > 0
    group by
        "id",
        "region",
        "_version"
)

select
    "id",
    "region",
    "_position",
    "_from" as "_valid_from",
    coalesce(
        "_deleted_at",
        lead("_from") over (
            partition by "id", "region"
            order by "_version"
        )
    ) as "_valid_to"
from versions;

-- merge_above_watermark: count_versions
select
    -count(*) as rows_inserted,
    count(*) as rows_updated,
    count(case when "sales"."orders"."is_current" and living."id" is null then 1 end) as rows_deleted
from "sales"."orders"
join (
    select distinct
        "id",
        "region"
    from "tidegate_arrived"
) as touched on "sales"."orders"."id" = touched."id"
    and "sales"."orders"."region" = touched."region"
left join (
    select
        "id",
        "region"
    from "tidegate_versions"
    where "_valid_to" is null
) as living on "sales"."orders"."id" = living."id"
    and "sales"."orders"."region" = living."region";

-- merge_above_watermark: delete_versions
delete from "sales"."orders"
using "tidegate_arrived"
where "sales"."orders"."id" = "tidegate_arrived"."id"
    and "sales"."orders"."region" = "tidegate_arrived"."region";

-- merge_above_watermark: insert_versions
insert into "sales"."orders" (
    "id",
    "region",
    "name",
    "valid_from",
    "valid_to",
    "is_current",
    "_position",
    "_batch",
    "_applied_at"
)
select
    "tidegate"."sales__orders__change_log"."id",
    "tidegate"."sales__orders__change_log"."region",
    "tidegate"."sales__orders__change_log"."name",
    "tidegate_versions"."_valid_from",
    "tidegate_versions"."_valid_to",
    "tidegate_versions"."_valid_to" is null,
    "tidegate"."sales__orders__change_log"."_position",
    "tidegate"."sales__orders__change_log"."_batch",
    sysdate
from "tidegate"."sales__orders__change_log"
join "tidegate_versions" on "tidegate"."sales__orders__change_log"."id" = "tidegate_versions"."id"
    and "tidegate"."sales__orders__change_log"."region" = "tidegate_versions"."region"
    and "tidegate"."sales__orders__change_log"."_position" = "tidegate_versions"."_position"
-- A version that ends when it begins was never visible.
where "tidegate_versions"."_valid_to" is null
    or "tidegate_versions"."_valid_from" < "tidegate_versions"."_valid_to";

-- merge_late: keep_newest
create temporary table "tidegate_arrived" as
select
    "id",
    "region"::char(2) as "region",
    "name",
    "_op",
    "_position",
    "_changed_at",
    "_digest"
from (
    select
        "id",
        "region",
        "name",
        "_op",
        "_position",
        "_changed_at",
        "_digest",
        row_number() over (
            partition by "id", "region", "_position"
            order by "_position" desc
        ) as "_rank"
    from "tidegate_stage"
) as ranked
where "_rank" = 1;

-- merge_late: write_truncations
insert into "tidegate"."sales__orders__truncations" (
    "_position",
    "_batch",
    "_changed_at"
)
select
    "tidegate_arrived"."_position",
    1723231637787,
    "tidegate_arrived"."_changed_at"
from "tidegate_arrived"
left join "tidegate"."sales__orders__truncations" on "tidegate"."sales__orders__truncations"."_position" = "tidegate_arrived"."_position"
where "tidegate_arrived"."_op" = 'T'
    and "tidegate"."sales__orders__truncations"."_position" is null;

-- merge_late: spread_truncations
insert into "tidegate_arrived" (
    "id",
    "region",
    "_op",
    "_position",
    "_changed_at"
)
select
    "id",
    "region",
    'D',
    "_position",
    "_changed_at"
from (
    select
        "tidegate_arrived"."id",
        "tidegate_arrived"."region",
        "tidegate"."sales__orders__truncations"."_position",
        "tidegate"."sales__orders__truncations"."_changed_at"
    from "tidegate_arrived"
    join "tidegate"."sales__orders__truncations" on "tidegate_arrived"."_position" < "tidegate"."sales__orders__truncations"."_position"
    left join "tidegate"."sales__orders__change_log"
    on "tidegate"."sales__orders__change_log"."_position" = "tidegate"."sales__orders__truncations"."_position"
    and "tidegate"."sales__orders__change_log"."id" = "tidegate_arrived"."id"
    and "tidegate"."sales__orders__change_log"."region" = "tidegate_arrived"."region"
    where "tidegate_arrived"."_op" <> 'T'
        and "tidegate"."sales__orders__change_log"."_position" is null
    union
    select
        "tidegate"."sales__orders__change_log"."id",
        "tidegate"."sales__orders__change_log"."region",
        "tidegate"."sales__orders__truncations"."_position",
        "tidegate"."sales__orders__truncations"."_changed_at"
    from "tidegate"."sales__orders__change_log"
    join "tidegate"."sales__orders__truncations" on "tidegate"."sales__orders__change_log"."_position" < "tidegate"."sales__orders__truncations"."_position"
    where "tidegate"."sales__orders__truncations"."_batch" = 1723231637787
) as ended;

-- merge_late: drop_truncations
delete from "tidegate_arrived"
where "_op" = 'T';

-- merge_late: drop_logged
delete from "tidegate_arrived"
using "tidegate"."sales__orders__change_log"
where "tidegate"."sales__orders__change_log"."id" = "tidegate_arrived"."id"
    and "tidegate"."sales__orders__change_log"."region" = "tidegate_arrived"."region"
    and "tidegate_arrived"."_position" = "tidegate"."sales__orders__change_log"."_position";

-- merge_late: log_changes
insert into "tidegate"."sales__orders__change_log" (
    "id",
    "region",
    "name",
    "_op",
    "_position",
    "_changed_at",
    "_digest",
    "_batch"
)
select
    "id",
    "region",
    "name",
    "_op",
    "_position",
    "_changed_at",
    "_digest",
    1723231637787
from "tidegate_arrived";

-- merge_late: make_versions
create temporary table "tidegate_versions" as
with touched as (
    select distinct
        "id",
        "region"
    from "tidegate_arrived"
),

known as (
    select
        "tidegate"."sales__orders__change_log"."id",
        "tidegate"."sales__orders__change_log"."region",
        "tidegate"."sales__orders__change_log"."_op",
        "tidegate"."sales__orders__change_log"."_digest",
        "tidegate"."sales__orders__change_log"."_position",
        "tidegate"."sales__orders__change_log"."_changed_at",
        substring("tidegate"."sales__orders__change_log"."_position", 8, 1) as "_kind",
        min(
            case
                when substring("tidegate"."sales__orders__change_log"."_position", 8, 1) = '1'
                then "tidegate"."sales__orders__change_log"."_changed_at"
            end
        ) over (
            partition by "tidegate"."sales__orders__change_log"."id", "tidegate"."sales__orders__change_log"."region"
            order by "tidegate"."sales__orders__change_log"."_position" desc
            rows unbounded preceding
        ) as "_followed_at",
        max(
            case
                when substring("tidegate"."sales__orders__change_log"."_position", 8, 1) = '0'
                then "tidegate"."sales__orders__change_log"."_changed_at"
            end
        ) over (
            partition by "tidegate"."sales__orders__change_log"."id", "tidegate"."sales__orders__change_log"."region"
            order by "tidegate"."sales__orders__change_log"."_position"
            rows between unbounded preceding and 1 preceding
        ) as "_told_at"
    from "tidegate"."sales__orders__change_log"
    join touched on "tidegate"."sales__orders__change_log"."id" = touched."id"
        and "tidegate"."sales__orders__change_log"."region" = touched."region"
),

-- A row of a snapshot comes before all changes of its key. If there are changes, it makes a version
-- only if its time is not after theirs, and is after the time of the snapshot before it.
-- An event is never earlier than the events before it: "_since" is their latest time.
events as (
    select
        "id",
        "region",
        "_op",
        "_digest",
        "_position",
        max("_changed_at") over (
            partition by "id", "region"
            order by "_position"
            rows unbounded preceding
        ) as "_since",
        lag("_op") over (
            partition by "id", "region"
            order by "_position"
        ) as "_op_before",
        lag("_digest") over (
            partition by "id", "region"
            order by "_position"
        ) as "_digest_before"
    from known
    where "_kind" <> '0'
        or "_followed_at" is null
        or (
            "_changed_at" <= "_followed_at"
            and ("_told_at" is null or "_changed_at" > "_told_at")
        )
),

counted as (
    select
        "id",
        "region",
        "_op",
        "_position",
        "_since",
        sum(
            case
                when "_op" = 'D' then 0
                when "_op_before" = 'D' then 1
                when "_digest" = "_digest_before" then 0
                else 1
            end
        ) over (
            partition by "id", "region"
            order by "_position"
            rows unbounded preceding
        ) as "_version"
    from events
),

versions as (
    select
        "id",
        "region",
        "_version",
        min(case when "_op" <> 'D' then "_since" end) as "_from",
        min(case when "_op" = 'D' then "_since" end) as "_deleted_at",
        max(case when "_op" <> 'D' then "_position" end) as "_position"
    from counted
    where "_version" > 0
    group by
        "id",
        "region",
        "_version"
)

select
    "id",
    "region",
    "_position",
    "_from" as "_valid_from",
    coalesce(
        "_deleted_at",
        lead("_from") over (
            partition by "id", "region"
            order by "_version"
        )
    ) as "_valid_to"
from versions;

-- merge_late: count_versions
select
    -count(*) as rows_inserted,
    count(*) as rows_updated,
    count(case when "sales"."orders"."is_current" and living."id" is null then 1 end) as rows_deleted
from "sales"."orders"
join (
    select distinct
        "id",
        "region"
    from "tidegate_arrived"
) as touched on "sales"."orders"."id" = touched."id"
    and "sales"."orders"."region" = touched."region"
left join (
    select
        "id",
        "region"
    from "tidegate_versions"
    where "_valid_to" is null
) as living on "sales"."orders"."id" = living."id"
    and "sales"."orders"."region" = living."region";

-- merge_late: delete_versions
delete from "sales"."orders"
using "tidegate_arrived"
where "sales"."orders"."id" = "tidegate_arrived"."id"
    and "sales"."orders"."region" = "tidegate_arrived"."region";

-- merge_late: insert_versions
insert into "sales"."orders" (
    "id",
    "region",
    "name",
    "valid_from",
    "valid_to",
    "is_current",
    "_position",
    "_batch",
    "_applied_at"
)
select
    "tidegate"."sales__orders__change_log"."id",
    "tidegate"."sales__orders__change_log"."region",
    "tidegate"."sales__orders__change_log"."name",
    "tidegate_versions"."_valid_from",
    "tidegate_versions"."_valid_to",
    "tidegate_versions"."_valid_to" is null,
    "tidegate"."sales__orders__change_log"."_position",
    "tidegate"."sales__orders__change_log"."_batch",
    sysdate
from "tidegate"."sales__orders__change_log"
join "tidegate_versions" on "tidegate"."sales__orders__change_log"."id" = "tidegate_versions"."id"
    and "tidegate"."sales__orders__change_log"."region" = "tidegate_versions"."region"
    and "tidegate"."sales__orders__change_log"."_position" = "tidegate_versions"."_position"
-- A version that ends when it begins was never visible.
where "tidegate_versions"."_valid_to" is null
    or "tidegate_versions"."_valid_from" < "tidegate_versions"."_valid_to";

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

-- columns: region
alter table "sales"."orders" add column "region" char(2);

-- columns: name
alter table "sales"."orders" add column "name" varchar(20);

-- columns: valid_from
alter table "sales"."orders" add column "valid_from" timestamp;

-- columns: valid_to
alter table "sales"."orders" add column "valid_to" timestamp;

-- columns: is_current
alter table "sales"."orders" add column "is_current" boolean;

-- columns: _batch
alter table "sales"."orders" add column "_batch" bigint;

-- columns: _applied_at
alter table "sales"."orders" add column "_applied_at" timestamp;

-- columns: id
alter table "tidegate"."sales__orders__change_log" add column "id" integer;

-- columns: region
alter table "tidegate"."sales__orders__change_log" add column "region" char(2);

-- columns: name
alter table "tidegate"."sales__orders__change_log" add column "name" varchar(20);

-- columns: _op
alter table "tidegate"."sales__orders__change_log" add column "_op" varchar(1);

-- columns: _position
alter table "tidegate"."sales__orders__change_log" add column "_position" varchar(512);

-- columns: _changed_at
alter table "tidegate"."sales__orders__change_log" add column "_changed_at" timestamp;

-- columns: _digest
alter table "tidegate"."sales__orders__change_log" add column "_digest" varchar(32);
