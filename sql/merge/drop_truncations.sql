delete from {arrived}
where "_op" = 'T'
