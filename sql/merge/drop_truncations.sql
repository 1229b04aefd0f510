delete from {changes}
where "_op" = 'T'
