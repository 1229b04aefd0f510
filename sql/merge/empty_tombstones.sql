delete from {tombstones}
