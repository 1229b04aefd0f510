select count(*)
from {target}
where "_deleted_at" is null
