select
    path,
    records,
    refused
from files
