delete from {changes}
where "_op" = 'D'
