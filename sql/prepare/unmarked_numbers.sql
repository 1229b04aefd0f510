list_transform(
                    {texts},
                    lambda text: case
                        when starts_with(text, chr(1) || '#') then substr(text, 3)
                        when contains(text, '"\u0001#')
                            then regexp_replace(text, '"\\u0001#([^"]*)"', '\1', 'g')
                        else text
                    end
                )
