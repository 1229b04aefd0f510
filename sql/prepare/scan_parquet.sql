read_parquet({paths}, filename = {path}) as records ({columns}, path)
