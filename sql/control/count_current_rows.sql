select count(*)
from {target}
where "is_current"
