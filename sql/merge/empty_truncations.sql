delete from {truncations}
