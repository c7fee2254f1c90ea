/* text.c: UTF-8, by hand, since nothing among the libraries tells where the first wrong byte is. Never reads
 * beyond the size given. */
#include "host/profile/text.h"

#include <string.h>

/* Bytes of the UTF-8 character at p, or 0 when it is none. */
static size_t decode(const unsigned char *p, size_t left, uint32_t *ret)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    *ret = *p;
    if (*p < 0x80)
        return 1;
    size_t size = *p >= 0xf0 ? 4 : *p >= 0xe0 ? 3 : *p >= 0xc2 ? 2 : 0;
    if (!size || size > left || *p > 0xf4)
        return 0;
    uint32_t value = *p & (0xffu >> (size + 1));
    for (size_t i = 1; i < size; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
        value = value << 6 | (p[i] & 0x3fu);
    }
    *ret = value;
    return value >= least[size] && value <= 0x10ffff && (value < 0xd800 || value > 0xdfff) ? size : 0;
}

bool pawl_text_is_valid(const char *text, size_t size)
{
    uint32_t c;
    for (size_t at = 0, step; at < size; at += step)
        if (!(step = decode((const unsigned char *)text + at, size - at, &c)))
            return false;
    return true;
}

/* May this character stand in YAML text as itself? */
static bool is_printable(uint32_t c)
{
    if (c < 0x20)
        return c == '\t' || c == '\n' || c == '\r';
    return c < 0x7f || c == 0x85 || (c >= 0xa0 && c != 0xfffe && c != 0xffff);
}

bool pawl_text_check(const char *text, size_t size, pawl_problem_list *problems)
{
    const unsigned char *p = (const unsigned char *)text;
    pawl_place place = {1, 1};
    for (size_t at = 0; at < size;) {
        uint32_t c = 0;
        size_t step = decode(p + at, size - at, &c);
        if (!step || !is_printable(c)) {
            if (step)
                pawl_problems_add(problems, place, "profile.encoding", "the control character U+%04X is not allowed",
                                  c);
            else
                pawl_problems_add(problems, place, "profile.encoding", "the byte 0x%02X is not valid UTF-8 text",
                                  p[at]);
            return false;
        }
        bool line_end = p[at] == '\n' || (p[at] == '\r' && (at + 1 == size || p[at + 1] != '\n'));
        bool mark = at == 0 && step == 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0;
        place.line += line_end;
        place.column = line_end ? 1 : place.column + !mark;
        at += step;
    }
    return true;
}
