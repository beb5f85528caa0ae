/* SPDX-License-Identifier: Apache-2.0 */
/* WWW-Authenticate with PrivateToken challenges (RFC 9577 2.1, RFC 9110 11.6.1). */
#include "cred.h"
#include "text.h"

enum { SEEN_CHALLENGE = 1, SEEN_KEY = 2, SEEN_AGE = 4 };

struct offers {
    struct pp_arena *arena;
    struct pp_token_offer list[PP_TOKEN_OFFERS_MAX];
    size_t count;
    unsigned seen; /* parameters of the current challenge */
    int in_scheme; /* some scheme came before: parameters have an owner */
    int in_ours;   /* and it is PrivateToken */
};

static struct pp_span slice(struct pp_span s, size_t from, size_t until)
{
    return pp_span(s.at + from, until - from);
}

static int is_space(uint8_t c)
{
    return c == ' ' || c == '\t';
}

static struct pp_span trim(struct pp_span s)
{
    size_t from = 0;
    size_t until = s.len;

    while (from < until && is_space(s.at[from]))
        from++;
    while (until > from && is_space(s.at[until - 1]))
        until--;
    return from == until ? (struct pp_span){ NULL, 0 } : slice(s, from, until);
}

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c - 'A' + 'a') : c;
}

static int is_word(struct pp_span s, const char *lower_case_word)
{
    struct pp_span w = pp_span_cstr(lower_case_word);

    if (s.len != w.len)
        return 0;
    for (size_t i = 0; i < s.len; i++)
        if (lower(s.at[i]) != w.at[i])
            return 0;
    return 1;
}

/* Takes the element before the next comma off `*list`; a comma between quotes is part of it. */
static pp_res take_element(struct pp_span *list, struct pp_span *ret)
{
    int quoted = 0;
    size_t i = 0;

    for (; i < list->len && (quoted || list->at[i] != ','); i++) {
        if (list->at[i] == '"')
            quoted = !quoted;
        else if (quoted && list->at[i] == '\\')
            i++; /* the escaped character may be a quote */
    }
    PP_CHECK(!quoted, PP_E_FORMAT, list->len);
    *ret = trim(slice(*list, 0, i));
    *list = i < list->len ? slice(*list, i + 1, list->len) : (struct pp_span){ NULL, 0 };
    return PP_OK;
}

/* The leading word: up to white space or '='. `*ret_rest` is what follows, without white space. */
static struct pp_span take_word(struct pp_span s, struct pp_span *ret_rest)
{
    size_t n = 0;

    while (n < s.len && !is_space(s.at[n]) && s.at[n] != '=')
        n++;
    *ret_rest = trim(slice(s, n, s.len));
    return slice(s, 0, n);
}

static pp_res close_challenge(struct offers *o)
{
    if (!o->in_ours)
        return PP_OK;
    PP_CHECK((o->seen & SEEN_CHALLENGE) != 0, PP_E_MISSING, o->count);
    o->count++;
    return PP_OK;
}

static pp_res open_challenge(struct offers *o, struct pp_span scheme)
{
    PP_TRY(close_challenge(o));
    o->in_scheme = 1;
    o->in_ours = is_word(scheme, "privatetoken");
    o->seen = 0;
    if (!o->in_ours)
        return PP_OK;
    PP_CHECK(o->count < PP_TOKEN_OFFERS_MAX, PP_E_LIMIT, o->count);
    o->list[o->count] = (struct pp_token_offer){ .max_age_s = UINT64_MAX };
    return PP_OK;
}

static pp_res decode(struct offers *o, struct pp_span text, struct pp_span *ret)
{
    size_t cap = text.len / 4 * 3 + 3;
    size_t len = 0;
    uint8_t *bytes = pp_arena_alloc(o->arena, cap);

    PP_CHECK(bytes != NULL, PP_E_NO_MEMORY, cap);
    PP_TRY(pp_base64url_parse(text, 1, bytes, cap, &len));
    *ret = pp_span(bytes, len);
    return PP_OK;
}

/* The value without its quotes. Values that we use hold no escapes, so none are undone. */
static pp_res unquote(struct pp_span value, struct pp_span *ret)
{
    PP_CHECK(value.len > 0, PP_E_FORMAT, 0);
    if (value.at[0] != '"') {
        *ret = value;
        return PP_OK;
    }
    PP_CHECK(value.len >= 2 && value.at[value.len - 1] == '"', PP_E_FORMAT, value.len);
    *ret = slice(value, 1, value.len - 1);
    return PP_OK;
}

static pp_res set_parameter(struct offers *o, struct pp_span name, struct pp_span value)
{
    struct pp_token_offer *offer = &o->list[o->count];
    unsigned bit = is_word(name, "challenge")   ? SEEN_CHALLENGE
                   : is_word(name, "token-key") ? SEEN_KEY
                   : is_word(name, "max-age")   ? SEEN_AGE
                                                : 0;

    PP_TRY(unquote(value, &value));
    PP_CHECK((o->seen & bit) == 0, PP_E_DUPLICATE, o->count);
    o->seen |= bit;
    if (bit == SEEN_CHALLENGE)
        return decode(o, value, &offer->challenge);
    if (bit == SEEN_KEY)
        return decode(o, value, &offer->token_key);
    if (bit == SEEN_AGE)
        return pp_decimal_parse(value, UINT64_MAX - 1, &offer->max_age_s);
    return PP_OK;
}

/* `text` is `name = value`; of other schemes it may be anything. */
static pp_res read_parameter(struct offers *o, struct pp_span text)
{
    struct pp_span rest;
    struct pp_span name = take_word(text, &rest);

    if (!o->in_ours)
        return PP_OK;
    PP_CHECK(name.len > 0 && rest.len > 0 && rest.at[0] == '=', PP_E_FORMAT, 0);
    return set_parameter(o, name, trim(slice(rest, 1, rest.len)));
}

static pp_res read_element(struct offers *o, struct pp_span element)
{
    struct pp_span rest;
    struct pp_span word = take_word(element, &rest);

    if (rest.len > 0 && rest.at[0] == '=') {
        PP_CHECK(o->in_scheme, PP_E_FORMAT, 0);
        return read_parameter(o, element);
    }
    PP_TRY(open_challenge(o, word));
    return rest.len == 0 ? PP_OK : read_parameter(o, rest);
}

pp_res pp_token_offers_parse(struct pp_span field, struct pp_arena *arena,
                             struct pp_token_offer ret[PP_TOKEN_OFFERS_MAX], size_t *ret_count)
{
    struct offers o = { .arena = arena };

    while (field.len > 0) {
        struct pp_span element;

        PP_TRY(take_element(&field, &element));
        if (element.len > 0)
            PP_TRY(read_element(&o, element));
    }
    PP_TRY(close_challenge(&o));
    for (size_t i = 0; i < o.count; i++)
        ret[i] = o.list[i];
    *ret_count = o.count;
    return PP_OK;
}
