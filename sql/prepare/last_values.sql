list_transform(
                    {names},
                    lambda name: ({values})[
                        len(json_keys(line)) + 1 - list_position(list_reverse(json_keys(line)), name)
                    ]
                )
