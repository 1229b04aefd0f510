read_csv(
        {paths},
        columns = {columns},
        header = {header},
        auto_detect = false,
        delim = {delimiter},
        quote = '"',
        escape = '"',
        nullstr = {null},
        allow_quoted_nulls = false,
        new_line = {newline},
        filename = 'path'
    )
