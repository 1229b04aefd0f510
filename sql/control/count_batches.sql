select count(*)
from {batches}
