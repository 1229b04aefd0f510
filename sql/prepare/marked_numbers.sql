replace(
                        replace(
                            replace(
                                regexp_replace(
                                    line::varchar,
                                    '("(\\.|[^"\\])*")|(-?[0-9][-+.eE0-9]*)',
                                    '\1' || chr(2) || '\3' || chr(3),
                                    'g'
                                ),
                                chr(2) || chr(3),
                                ''
                            ),
                            chr(2),
                            '"\u0001#'
                        ),
                        chr(3),
                        '"'
                    )::json
