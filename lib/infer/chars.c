/* SPDX-License-Identifier: Apache-2.0 */
#include "infer_int.h"
#include "text.h"

struct range {
    uint32_t first, last;
    enum infer_char cls;
};

/* Ascending; what is not listed is a letter. Unicode 15 blocks, by what a reader may be shown. */
static const struct range RANGES[] = {
    { 0x0000, 0x0008, INFER_CHAR_INVISIBLE },
    { 0x0009, 0x000D, INFER_CHAR_SPACE },
    { 0x000E, 0x001F, INFER_CHAR_INVISIBLE },
    { 0x0020, 0x0020, INFER_CHAR_SPACE },
    { 0x0021, 0x002F, INFER_CHAR_PUNCT },
    { 0x0030, 0x0039, INFER_CHAR_DIGIT },
    { 0x003A, 0x0040, INFER_CHAR_PUNCT },
    { 0x005B, 0x0060, INFER_CHAR_PUNCT },
    { 0x007B, 0x007E, INFER_CHAR_PUNCT },
    { 0x007F, 0x0084, INFER_CHAR_INVISIBLE },
    { 0x0085, 0x0085, INFER_CHAR_SPACE },
    { 0x0086, 0x009F, INFER_CHAR_INVISIBLE },
    { 0x00A0, 0x00A0, INFER_CHAR_SPACE },
    { 0x00A1, 0x00A9, INFER_CHAR_PUNCT },
    { 0x00AB, 0x00AC, INFER_CHAR_PUNCT },
    { 0x00AD, 0x00AD, INFER_CHAR_INVISIBLE },
    { 0x00AE, 0x00B4, INFER_CHAR_PUNCT },
    { 0x00B6, 0x00B9, INFER_CHAR_PUNCT },
    { 0x00BB, 0x00BF, INFER_CHAR_PUNCT },
    { 0x00D7, 0x00D7, INFER_CHAR_PUNCT },
    { 0x00F7, 0x00F7, INFER_CHAR_PUNCT },
    { 0x034F, 0x034F, INFER_CHAR_INVISIBLE },
    { 0x037E, 0x037E, INFER_CHAR_PUNCT },
    { 0x0387, 0x0387, INFER_CHAR_PUNCT },
    { 0x05BE, 0x05BE, INFER_CHAR_PUNCT },
    { 0x060C, 0x060D, INFER_CHAR_PUNCT },
    { 0x061C, 0x061C, INFER_CHAR_INVISIBLE },
    { 0x061B, 0x061B, INFER_CHAR_PUNCT },
    { 0x061E, 0x061F, INFER_CHAR_PUNCT },
    { 0x0660, 0x0669, INFER_CHAR_DIGIT },
    { 0x066A, 0x066D, INFER_CHAR_PUNCT },
    { 0x06D4, 0x06D4, INFER_CHAR_PUNCT },
    { 0x06F0, 0x06F9, INFER_CHAR_DIGIT },
    { 0x070F, 0x070F, INFER_CHAR_INVISIBLE },
    { 0x0964, 0x0965, INFER_CHAR_PUNCT },
    { 0x0966, 0x096F, INFER_CHAR_DIGIT },
    { 0x115F, 0x1160, INFER_CHAR_INVISIBLE },
    { 0x1680, 0x1680, INFER_CHAR_SPACE },
    { 0x17B4, 0x17B5, INFER_CHAR_INVISIBLE },
    { 0x180B, 0x180F, INFER_CHAR_INVISIBLE },
    { 0x2000, 0x200A, INFER_CHAR_SPACE },
    { 0x200B, 0x200F, INFER_CHAR_INVISIBLE },
    { 0x2010, 0x2027, INFER_CHAR_PUNCT },
    { 0x2028, 0x2029, INFER_CHAR_SPACE },
    { 0x202A, 0x202E, INFER_CHAR_INVISIBLE },
    { 0x202F, 0x202F, INFER_CHAR_SPACE },
    { 0x2030, 0x205E, INFER_CHAR_PUNCT },
    { 0x205F, 0x205F, INFER_CHAR_SPACE },
    { 0x2060, 0x206F, INFER_CHAR_INVISIBLE },
    { 0x2070, 0x209F, INFER_CHAR_PUNCT },
    { 0x20A0, 0x20CF, INFER_CHAR_PUNCT },
    { 0x20D0, 0x20FF, INFER_CHAR_INVISIBLE }, /* combining marks for symbols, key caps */
    { 0x2100, 0x218F, INFER_CHAR_PUNCT },
    { 0x2190, 0x21FF, INFER_CHAR_PUNCT },
    { 0x2200, 0x22FF, INFER_CHAR_PUNCT },
    { 0x2300, 0x27E7, INFER_CHAR_PICTURE },
    { 0x27E8, 0x27EF, INFER_CHAR_PUNCT },
    { 0x27F0, 0x2BFF, INFER_CHAR_PICTURE },
    { 0x2E00, 0x2E7F, INFER_CHAR_PUNCT },
    { 0x3000, 0x3000, INFER_CHAR_SPACE },
    { 0x3001, 0x3003, INFER_CHAR_PUNCT },
    { 0x3008, 0x3020, INFER_CHAR_PUNCT },
    { 0x3030, 0x3030, INFER_CHAR_PICTURE },
    { 0x303D, 0x303F, INFER_CHAR_PICTURE },
    { 0x3164, 0x3164, INFER_CHAR_INVISIBLE },
    { 0x3297, 0x3299, INFER_CHAR_PICTURE },
    { 0xD800, 0xF8FF, INFER_CHAR_INVISIBLE },
    { 0xFE00, 0xFE0F, INFER_CHAR_INVISIBLE },
    { 0xFE10, 0xFE6F, INFER_CHAR_PUNCT },
    { 0xFEFF, 0xFEFF, INFER_CHAR_INVISIBLE },
    { 0xFF01, 0xFF0F, INFER_CHAR_PUNCT },
    { 0xFF10, 0xFF19, INFER_CHAR_DIGIT },
    { 0xFF1A, 0xFF20, INFER_CHAR_PUNCT },
    { 0xFF3B, 0xFF40, INFER_CHAR_PUNCT },
    { 0xFF5B, 0xFF65, INFER_CHAR_PUNCT },
    { 0xFFA0, 0xFFA0, INFER_CHAR_INVISIBLE },
    { 0xFFF0, 0xFFFF, INFER_CHAR_INVISIBLE },
    { 0x1BCA0, 0x1BCA3, INFER_CHAR_INVISIBLE },
    { 0x1D173, 0x1D17A, INFER_CHAR_INVISIBLE },
    { 0x1F000, 0x1FAFF, INFER_CHAR_PICTURE },
    { 0xE0000, 0x10FFFF, INFER_CHAR_INVISIBLE },
};

enum infer_char infer_char_class(uint32_t c)
{
    size_t low = 0;
    size_t high = PP_ARRAY_COUNT(RANGES);

    if ((c | 0x20) >= 'a' && (c | 0x20) <= 'z')
        return INFER_CHAR_WORD;
    while (low < high) {
        size_t mid = (low + high) / 2;
        if (c > RANGES[mid].last)
            low = mid + 1;
        else if (c < RANGES[mid].first)
            high = mid;
        else
            return RANGES[mid].cls;
    }
    return INFER_CHAR_WORD;
}

/* Base letters of U+00C0..U+017F; '*' where the letter has none. */
static const char LATIN[] = "aaaaaaaceeeeiiiidnooooo*ouuuuy*saaaaaaaceeeeiiiidnooooo*ouuuuy*y"
                            "aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiii**jjkkklllllll"
                            "lllnnnnnn***oooooo**rrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs";

/* Cyrillic and Greek small letters that look like Latin ones. */
static uint32_t look_alike(uint32_t c)
{
    static const uint16_t FROM[] = { 0x430, 0x435, 0x43E, 0x440, 0x441, 0x443, 0x445, 0x455, 0x456,
                                     0x458, 0x3B1, 0x3B5, 0x3B9, 0x3BF, 0x3C1, 0x3C5, 0x3BD };
    static const char TO[] = "aeopcyxsijaeiopuv";

    for (size_t i = 0; i < PP_ARRAY_COUNT(FROM); i++)
        if (FROM[i] == c)
            return (uint32_t)(uint8_t)TO[i];
    return c;
}

uint32_t infer_char_fold(uint32_t c)
{
    if (c < 0x80)
        return c >= 'A' && c <= 'Z' ? c + 32 : c;
    if (c >= 0xC0 && c <= 0x17F) {
        char base = LATIN[c - 0xC0];
        return base == '*' ? c : (uint32_t)(uint8_t)base;
    }
    if (c == 0x2019 || c == 0x2018 || c == 0x02BC || c == 0xB4 || c == 0x201B)
        return '\'';
    if (c >= 0x2010 && c <= 0x2013)
        return '-';
    if (c >= 0xFF01 && c <= 0xFF5E)
        return infer_char_fold(c - 0xFF01 + 0x21);
    if (c >= 0x1D400 && c <= 0x1D6A3)
        return 'a' + (c - 0x1D400) % 26;
    if (c >= 0x1D7CE && c <= 0x1D7FF)
        return '0' + (c - 0x1D7CE) % 10;
    if ((c >= 0x410 && c <= 0x42F) || (c >= 0x391 && c <= 0x3A9))
        c += 32;
    else if (c >= 0x400 && c <= 0x40F)
        c += 80;
    return look_alike(c);
}

int infer_char_is_upper(uint32_t c)
{
    if (c >= 'A' && c <= 'Z')
        return 1;
    if (c >= 0xC0 && c <= 0xDE)
        return c != 0xD7;
    if (c >= 0x100 && c <= 0x137)
        return c % 2 == 0;
    return (c >= 0x391 && c <= 0x3A9) || (c >= 0x400 && c <= 0x42F);
}

uint32_t infer_hash_step(uint32_t hash, uint32_t folded)
{
    hash = (hash ^ (folded & 0xFF)) * 16777619U;
    return folded > 0xFF ? (hash ^ folded >> 8) * 16777619U : hash;
}

uint32_t infer_hash_text(struct pp_span word)
{
    uint32_t hash = (uint32_t)INFER_HASH_START;

    for (size_t at = 0; at < word.len;)
        hash = infer_hash_step(hash, infer_char_fold(pp_utf8_next(word, &at)));
    return hash == 0 ? 1 : hash;
}

size_t pp_infer_words(struct pp_span text)
{
    size_t words = 0;
    int inside = 0;

    for (size_t at = 0; at < text.len;) {
        int space = infer_char_class(pp_utf8_next(text, &at)) == INFER_CHAR_SPACE;
        words += !space && !inside;
        inside = !space;
    }
    return words;
}
