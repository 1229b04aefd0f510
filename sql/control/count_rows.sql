select count(*)
from {target}
