/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A RIM file's XML. The library only sees text that a scan has found harmless: no document type, so
 * no entities; no comment, section or instruction; and no piece so long that its algorithms, some
 * of which are quadratic in the attributes of a tag, would take long.
 */
#include "rim_int.h"

#include <libxml/c14n.h>
#include <libxml/parser.h>
#include <libxml/tree.h>
#include <libxml/xmlerror.h>

#include "text.h"
#include "wr.h"

#define NS_SWID   "http://standards.iso.org/iso/19770/-2/2015/schema.xsd"
#define NS_DSIG   "http://www.w3.org/2000/09/xmldsig#"
#define NS_SHA384 "http://www.w3.org/2001/04/xmlenc#sha384"

#define ALG_C14N      "http://www.w3.org/2006/12/xml-c14n11"
#define ALG_ENVELOPED "http://www.w3.org/2000/09/xmldsig#enveloped-signature"
#define ALG_SIGNATURE "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384"
#define ALG_DIGEST    "http://www.w3.org/2001/04/xmldsig-more#sha384"

#define MANUFACTURER "5703" /* NVIDIA, by IANA's list of enterprises */

static pp_res refuse(struct pp_problem *problem, const char *field, const char *expected,
                     struct pp_span got)
{
    pp_problem_set(problem, field, expected, got);
    return PP_FAIL(PP_E_GPU_RIM_FORMAT, 0);
}

/* --- before the library sees it --------------------------------------------------------------- */

static pp_res check_piece(struct pp_span piece, int first, struct pp_problem *problem)
{
    static const struct pp_span DECLARATION = { (const uint8_t *)"<?xml ", 6 };
    int declares = first && piece.len >= DECLARATION.len &&
                   pp_span_eq(pp_span(piece.at, DECLARATION.len), DECLARATION);

    if (piece.len > PP_RIM_PIECE_BYTES_MAX)
        return refuse(problem, "XML", "at most 8192 bytes from one tag to the next", PP_STR(""));
    if (piece.len > 1 && piece.at[0] == '<' && piece.at[1] == '!')
        return refuse(problem, "XML", "no document type, comment or section",
                      pp_span(piece.at, piece.len < 16 ? piece.len : 16));
    if (piece.len > 1 && piece.at[0] == '<' && piece.at[1] == '?' && !declares)
        return refuse(problem, "XML", "no processing instruction",
                      pp_span(piece.at, piece.len < 16 ? piece.len : 16));
    return PP_OK;
}

/* Cuts the text before every '<': in well-formed XML that begins a tag and nothing else. */
static pp_res scan(struct pp_span xml, struct pp_problem *problem)
{
    size_t from = 0, tags = 0;

    if (xml.len == 0 || xml.len > PP_RIM_BYTES_MAX)
        return refuse(problem, "file", "1 byte to 1 MiB", PP_STR(""));
    if (!pp_is_ok(pp_utf8_check(xml)) || memchr(xml.at, 0, xml.len) != NULL)
        return refuse(problem, "file", "UTF-8 text", PP_STR(""));
    for (size_t i = 1; i <= xml.len; i++) {
        if (i < xml.len && xml.at[i] != '<')
            continue;
        PP_TRY(check_piece(pp_span(xml.at + from, i - from), from == 0, problem));
        from = i;
        if (++tags > PP_RIM_TAGS_MAX)
            return refuse(problem, "XML", "at most 2048 tags", PP_STR(""));
    }
    return PP_OK;
}

/* --- the tree --------------------------------------------------------------------------------- */

static int is(const xmlNode *n, const char *ns, const char *name)
{
    return n != NULL && n->type == XML_ELEMENT_NODE && n->ns != NULL &&
           xmlStrEqual(n->ns->href, BAD_CAST ns) && xmlStrEqual(n->name, BAD_CAST name);
}

/* The first element at or behind `n` among its siblings; anything but white space between: NULL. */
static xmlNode *element_from(xmlNode *n)
{
    while (n != NULL && n->type == XML_TEXT_NODE && xmlIsBlankNode(n))
        n = n->next;
    return n;
}

static xmlNode *first_element(const xmlNode *parent)
{
    return element_from(parent->children);
}

static xmlNode *next_element(const xmlNode *n)
{
    return element_from(n->next);
}

/* The text of an element or attribute that holds nothing else; NULL bytes when it does. */
static struct pp_span text_of(const xmlNode *children)
{
    if (children == NULL)
        return PP_STR("");
    if (children->type != XML_TEXT_NODE || children->next != NULL || children->content == NULL)
        return (struct pp_span){ 0 };
    return pp_span_cstr((const char *)children->content);
}

/* An attribute's value; `ns` NULL: one without a namespace. Absent: NULL bytes. */
static struct pp_span attribute(const xmlNode *n, const char *ns, const char *name)
{
    for (const xmlAttr *a = n->properties; a != NULL; a = a->next) {
        const xmlChar *href = a->ns == NULL ? NULL : a->ns->href;
        if (xmlStrEqual(a->name, BAD_CAST name) && xmlStrEqual(href, BAD_CAST ns))
            return text_of(a->children);
    }
    return (struct pp_span){ 0 };
}

/* Whether `n` has exactly this one attribute, with exactly this value. */
static int has_only(const xmlNode *n, const char *name, const char *value)
{
    const xmlAttr *a = n->properties;

    return a != NULL && a->next == NULL && a->ns == NULL && xmlStrEqual(a->name, BAD_CAST name) &&
           text_of(a->children).at != NULL && pp_span_eq(text_of(a->children), pp_span_cstr(value));
}

/* --- the signature element -------------------------------------------------------------------- */

/* `*n` must be this element of the signature; moves on to the next one. */
static pp_res take(xmlNode **n, const char *name, const char *attribute_name, const char *value,
                   struct pp_problem *problem, xmlNode **ret)
{
    if (!is(*n, NS_DSIG, name))
        return refuse(problem, name, "an element of the signature, in its place",
                      pp_span_cstr(*n == NULL ? "nothing" : (const char *)(*n)->name));
    if (attribute_name == NULL ? (*n)->properties != NULL : !has_only(*n, attribute_name, value))
        return refuse(problem, name, attribute_name == NULL ? "no attribute" : value,
                      attribute(*n, NULL, attribute_name == NULL ? "Id" : attribute_name));
    *ret = *n;
    *n = next_element(*n);
    return PP_OK;
}

/* An element that stands for one algorithm and holds nothing. */
static pp_res take_algorithm(xmlNode **n, const char *name, const char *uri,
                             struct pp_problem *problem)
{
    xmlNode *at;

    PP_TRY(take(n, name, "Algorithm", uri, problem, &at));
    if (first_element(at) != NULL)
        return refuse(problem, name, "nothing in it", PP_STR("parameters"));
    return PP_OK;
}

static pp_res take_end(const xmlNode *n, const char *name, struct pp_problem *problem)
{
    if (n != NULL)
        return refuse(problem, name, "no further element", pp_span_cstr((const char *)n->name));
    return PP_OK;
}

/* Base64 with white space in it. */
static pp_res read_base64(const xmlNode *n, const char *name, uint8_t *ret, size_t cap,
                          size_t *ret_len, struct pp_problem *problem)
{
    uint8_t packed[RIM_CERT_TEXT_BYTES_MAX];
    struct pp_span text = text_of(n->children);
    size_t len = 0;

    if (text.at == NULL || text.len > sizeof packed)
        return refuse(problem, name, "Base64", PP_STR(""));
    for (size_t i = 0; i < text.len; i++)
        if (text.at[i] != ' ' && text.at[i] != '\t' && text.at[i] != '\n' && text.at[i] != '\r')
            packed[len++] = text.at[i];
    if (!pp_is_ok(pp_base64_parse(pp_span(packed, len), ret, cap, ret_len)))
        return refuse(problem, name, "Base64", text);
    return PP_OK;
}

static pp_res read_fixed(const xmlNode *n, const char *name, uint8_t *ret, size_t len,
                         struct pp_problem *problem)
{
    size_t got;

    PP_TRY(read_base64(n, name, ret, len, &got, problem));
    if (got != len)
        return refuse(problem, name, "of the algorithm's length", text_of(n->children));
    return PP_OK;
}

static pp_res read_reference(xmlNode *reference, struct rim_signature *s,
                             struct pp_problem *problem)
{
    xmlNode *n = first_element(reference);
    xmlNode *transforms, *value;

    PP_TRY(take(&n, "Transforms", NULL, NULL, problem, &transforms));
    xmlNode *t = first_element(transforms);
    PP_TRY(take_algorithm(&t, "Transform", ALG_ENVELOPED, problem));
    PP_TRY(take_algorithm(&t, "Transform", ALG_C14N, problem));
    PP_TRY(take_end(t, "Transforms", problem));
    PP_TRY(take_algorithm(&n, "DigestMethod", ALG_DIGEST, problem));
    PP_TRY(take(&n, "DigestValue", NULL, NULL, problem, &value));
    PP_TRY(take_end(n, "Reference", problem));
    return read_fixed(value, "DigestValue", s->digest, sizeof s->digest, problem);
}

static pp_res read_certificates(xmlNode *key_info, struct pp_rim *rim)
{
    xmlNode *n = first_element(key_info);
    xmlNode *data, *cert;

    PP_TRY(take(&n, "X509Data", NULL, NULL, &rim->problem, &data));
    PP_TRY(take_end(n, "KeyInfo", &rim->problem));
    for (n = first_element(data); n != NULL;) {
        uint8_t der[RIM_CERT_TEXT_BYTES_MAX];
        size_t len;
        PP_TRY(take(&n, "X509Certificate", NULL, NULL, &rim->problem, &cert));
        if (rim->cert_count == PP_RIM_CERTS_MAX)
            return refuse(&rim->problem, "X509Data", "at most 5 certificates", PP_STR("more"));
        PP_TRY(read_base64(cert, "X509Certificate", der, sizeof der, &len, &rim->problem));
        if (!pp_is_ok(pp_x509_parse(pp_span(der, len), &rim->certs[rim->cert_count])))
            return refuse(&rim->problem, "X509Certificate", "a certificate", PP_STR(""));
        rim->cert_count++;
    }
    if (rim->cert_count == 0)
        return refuse(&rim->problem, "X509Data", "a certificate", PP_STR("none"));
    return PP_OK;
}

/* All but the canonical SignedInfo, whose element is given back. */
static pp_res read_signature(xmlNode *signature, struct pp_rim *rim, struct rim_signature *s,
                             xmlNode **ret_signed_info)
{
    struct pp_problem *problem = &rim->problem;
    uint8_t rs[2 * PP_GPU_HASH_BYTES];
    xmlNode *n = first_element(signature);
    xmlNode *value, *key_info, *reference;

    if (signature->properties != NULL)
        return refuse(problem, "Signature", "no attribute", PP_STR("attributes"));
    PP_TRY(take(&n, "SignedInfo", NULL, NULL, problem, ret_signed_info));
    PP_TRY(take(&n, "SignatureValue", NULL, NULL, problem, &value));
    PP_TRY(take(&n, "KeyInfo", NULL, NULL, problem, &key_info));
    PP_TRY(take_end(n, "Signature", problem));

    n = first_element(*ret_signed_info);
    PP_TRY(take_algorithm(&n, "CanonicalizationMethod", ALG_C14N, problem));
    PP_TRY(take_algorithm(&n, "SignatureMethod", ALG_SIGNATURE, problem));
    PP_TRY(take(&n, "Reference", "URI", "", problem, &reference));
    PP_TRY(take_end(n, "SignedInfo", problem));
    PP_TRY(read_reference(reference, s, problem));

    PP_TRY(read_fixed(value, "SignatureValue", rs, sizeof rs, problem));
    memcpy(s->r, rs, sizeof s->r);
    memcpy(s->s, rs + sizeof s->r, sizeof s->s);
    return read_certificates(key_info, rim);
}

/* --- reference values ------------------------------------------------------------------------- */

static pp_res read_word(const xmlNode *n, const char *ns, const char *name,
                        char ret[PP_GPU_TEXT_BYTES_MAX], struct pp_problem *problem)
{
    struct pp_span value = attribute(n, ns, name);

    for (size_t i = 0; i < value.len; i++)
        if (value.at[i] <= 0x20 || value.at[i] >= 0x7F)
            value.len = 0;
    if (value.len == 0 || value.len >= PP_GPU_TEXT_BYTES_MAX)
        return refuse(problem, name, "1 to 31 printable characters", value);
    memcpy(ret, value.at, value.len);
    ret[value.len] = '\0';
    return PP_OK;
}

static pp_res read_number(const xmlNode *n, const char *name, uint64_t max, uint64_t *ret,
                          struct pp_problem *problem)
{
    struct pp_span value = attribute(n, NULL, name);

    if (value.at == NULL || !pp_is_ok(pp_decimal_parse(value, max, ret)))
        return refuse(problem, name, "a decimal number within its limit", value);
    return PP_OK;
}

/* Either case of hexadecimal. */
static int read_hash(struct pp_span text, uint8_t ret[PP_GPU_HASH_BYTES])
{
    uint8_t lower[2 * PP_GPU_HASH_BYTES];

    if (text.at == NULL || text.len != sizeof lower)
        return 0;
    for (size_t i = 0; i < sizeof lower; i++) {
        uint8_t c = text.at[i];
        lower[i] = c >= 'A' && c <= 'F' ? (uint8_t)(c - 'A' + 'a') : c;
    }
    return pp_is_ok(pp_hex_parse(PP_BYTES(lower), ret, PP_GPU_HASH_BYTES));
}

/* Hash0 to Hash<count - 1>, and no other of that namespace. */
static pp_res read_hashes(const xmlNode *n, uint64_t index, uint64_t count, int active,
                          struct pp_rim *rim)
{
    uint8_t hash[PP_GPU_HASH_BYTES];
    uint64_t present = 0;

    for (const xmlAttr *a = n->properties; a != NULL; a = a->next)
        present += a->ns != NULL && xmlStrEqual(a->ns->href, BAD_CAST NS_SHA384);
    if (present != count)
        return refuse(&rim->problem, "alternatives", "the number of hashes", PP_STR("another"));
    if (active && count > PP_RIM_HASHES_MAX - rim->hash_count)
        return refuse(&rim->problem, "Payload", "at most 256 values in all", PP_STR("more"));
    if (active) {
        rim->active |= UINT64_C(1) << index;
        rim->values[index].first = (uint16_t)rim->hash_count;
        rim->values[index].count = (uint16_t)count;
    }
    for (uint64_t i = 0; i < count; i++) {
        char name[16];
        struct pp_wr wr = pp_wr_over(name, sizeof name);
        pp_wr_text(&wr, "Hash");
        pp_wr_decimal(&wr, i);
        pp_wr_u8(&wr, 0);
        PP_TRY(pp_wr_ok(&wr));
        if (!read_hash(attribute(n, NS_SHA384, name), hash))
            return refuse(&rim->problem, name, "96 hexadecimal digits",
                          attribute(n, NS_SHA384, name));
        if (active)
            memcpy(rim->hashes[rim->hash_count++], hash, sizeof hash);
    }
    return PP_OK;
}

static pp_res read_resource(const xmlNode *n, uint64_t *seen, struct pp_rim *rim)
{
    struct pp_problem *problem = &rim->problem;
    struct pp_span type = attribute(n, NULL, "type");
    struct pp_span active = attribute(n, NULL, "active");
    uint64_t index, alternatives, size;

    if (!is(n, NS_SWID, "Resource") || first_element(n) != NULL)
        return refuse(problem, "Payload", "empty Resource elements alone",
                      pp_span_cstr((const char *)n->name));
    if (!pp_span_eq(type, PP_STR("Measurement")))
        return refuse(problem, "type", "Measurement", type);
    PP_TRY(read_number(n, "index", PP_GPU_BLOCKS_MAX - 1, &index, problem));
    if ((*seen >> index & 1) != 0)
        return refuse(problem, "index", "each once", attribute(n, NULL, "index"));
    *seen |= UINT64_C(1) << index;
    PP_TRY(read_number(n, "size", PP_GPU_HASH_BYTES, &size, problem));
    if (size != PP_GPU_HASH_BYTES)
        return refuse(problem, "size", "48", attribute(n, NULL, "size"));
    PP_TRY(read_number(n, "alternatives", PP_RIM_HASHES_MAX, &alternatives, problem));
    if (alternatives == 0)
        return refuse(problem, "alternatives", "at least one", PP_STR("0"));
    if (!pp_span_eq(active, PP_STR("True")) && !pp_span_eq(active, PP_STR("False")))
        return refuse(problem, "active", "True or False", active);
    return read_hashes(n, index, alternatives, pp_span_eq(active, PP_STR("True")), rim);
}

static pp_res read_payload(const xmlNode *payload, struct pp_rim *rim)
{
    uint64_t seen = 0;

    for (const xmlNode *n = first_element(payload); n != NULL; n = next_element(n))
        PP_TRY(read_resource(n, &seen, rim));
    if (rim->active == 0)
        return refuse(&rim->problem, "Payload", "an active measurement", PP_STR("none"));
    return PP_OK;
}

static pp_res read_meta(const xmlNode *meta, struct pp_rim *rim)
{
    struct pp_span manufacturer = { 0 };

    for (const xmlAttr *a = meta->properties; a != NULL; a = a->next)
        if (a->ns != NULL && xmlStrEqual(a->name, BAD_CAST "FirmwareManufacturerId"))
            manufacturer = text_of(a->children);
    if (!pp_span_eq(manufacturer, PP_STR(MANUFACTURER)))
        return refuse(&rim->problem, "FirmwareManufacturerId", MANUFACTURER, manufacturer);
    return read_word(meta, NULL, "colloquialVersion", rim->version, &rim->problem);
}

/* The tree without its signature. */
static pp_res read_content(const xmlNode *root, struct pp_rim *rim)
{
    const xmlNode *meta = NULL, *payload = NULL;

    PP_TRY(read_word(root, NULL, "name", rim->chip, &rim->problem));
    for (const xmlNode *n = first_element(root); n != NULL; n = next_element(n)) {
        const xmlNode **one = is(n, NS_SWID, "Meta")      ? &meta
                              : is(n, NS_SWID, "Payload") ? &payload
                                                          : NULL;
        if (n->type != XML_ELEMENT_NODE || (one != NULL && *one != NULL))
            return refuse(&rim->problem, "SoftwareIdentity", "elements, one Meta, one Payload",
                          PP_STR("another"));
        if (one != NULL)
            *one = n;
    }
    if (meta == NULL || payload == NULL)
        return refuse(&rim->problem, "SoftwareIdentity", "one Meta and one Payload",
                      PP_STR("less"));
    PP_TRY(read_meta(meta, rim));
    return read_payload(payload, rim);
}

/* --- canonical forms -------------------------------------------------------------------------- */

static int write_bytes(void *to, const char *bytes, int len)
{
    pp_wr_bytes(to, bytes, (size_t)len);
    return len;
}

static int hash_bytes(void *to, const char *bytes, int len)
{
    pp_hash_update(to, pp_span(bytes, (size_t)len));
    return len;
}

/* Namespaces and attributes are asked for with the element that has them as `parent`. */
static int is_below(void *top, xmlNode *node, xmlNode *parent)
{
    if (node == top)
        return 1;
    for (const xmlNode *n = parent; n != NULL; n = n->parent)
        if (n == top)
            return 1;
    return 0;
}

/* Canonical XML 1.1 without comments: all of the document, or what stands at and below `top`. */
static pp_res canonicalise(xmlDoc *doc, xmlNode *top, xmlOutputWriteCallback write, void *to,
                           struct pp_problem *problem)
{
    xmlOutputBuffer *out = xmlOutputBufferCreateIO(write, NULL, to, NULL);

    PP_CHECK(out != NULL, PP_E_NO_MEMORY, 0);
    int done = xmlC14NExecute(doc, top == NULL ? NULL : is_below, top, XML_C14N_1_1, NULL, 0, out);
    int closed = xmlOutputBufferClose(out);
    if (done < 0 || closed < 0) /* a namespace that is no absolute URI, say */
        return refuse(problem, "XML", "a document that has a canonical form", PP_STR(""));
    return PP_OK;
}

static pp_res canonicalise_signed_info(xmlDoc *doc, xmlNode *signed_info, struct rim_signature *s,
                                       struct pp_problem *problem)
{
    struct pp_wr wr = pp_wr_over(s->signed_info, sizeof s->signed_info);

    PP_TRY(canonicalise(doc, signed_info, write_bytes, &wr, problem));
    if (!pp_is_ok(pp_wr_ok(&wr)))
        return refuse(problem, "SignedInfo", "at most 4096 bytes", PP_STR("more"));
    s->signed_info_len = wr.len;
    return PP_OK;
}

/* --- the whole -------------------------------------------------------------------------------- */

/* The node behind `n` in document order; NULL behind the last one. */
static xmlNode *next_in_document(xmlNode *n)
{
    if (n->type == XML_ELEMENT_NODE && n->children != NULL)
        return n->children;
    while (n != NULL && n->next == NULL)
        n = n->parent;
    return n == NULL ? NULL : n->next;
}

/* The one ds:Signature of the document, which must be a child of the root. */
static pp_res find_signature(xmlNode *root, struct pp_problem *problem, xmlNode **ret)
{
    xmlNode *found = NULL;

    for (xmlNode *n = root; n != NULL; n = next_in_document(n)) {
        if (!is(n, NS_DSIG, "Signature"))
            continue;
        if (found != NULL || n->parent != root)
            return refuse(problem, "Signature", "one, a child of the root",
                          found != NULL ? PP_STR("two") : PP_STR("another place"));
        found = n;
    }
    if (found == NULL)
        return refuse(problem, "Signature", "one, a child of the root", PP_STR("none"));
    *ret = found;
    return PP_OK;
}

static pp_res read_document(xmlDoc *doc, struct pp_rim *rim, struct rim_signature *s,
                            uint8_t ret_digest[PP_SHA384_BYTES])
{
    xmlNode *root = xmlDocGetRootElement(doc);
    xmlNode *signature, *signed_info;
    struct pp_hash hash;

    if (!is(root, NS_SWID, "SoftwareIdentity") || doc->intSubset != NULL || doc->extSubset != NULL)
        return refuse(&rim->problem, "root element", "SoftwareIdentity of ISO 19770-2:2015",
                      PP_STR("another"));
    PP_TRY(find_signature(root, &rim->problem, &signature));
    PP_TRY(read_signature(signature, rim, s, &signed_info));
    PP_TRY(canonicalise_signed_info(doc, signed_info, s, &rim->problem));

    /* From here on there is one tree: the values come from it, and it is what the digest covers. */
    xmlUnlinkNode(signature);
    xmlFreeNode(signature);
    PP_TRY(read_content(root, rim));
    pp_hash_init(&hash, PP_SHA384);
    PP_TRY(canonicalise(doc, NULL, hash_bytes, &hash, &rim->problem));
    pp_hash_final(&hash, ret_digest);
    return PP_OK;
}

static void say_nothing(void *ctx, xmlErrorPtr error)
{
    (void)ctx;
    (void)error;
}

static pp_res parse(struct pp_span xml, struct pp_rim *rim, struct rim_signature *s,
                    uint8_t ret_digest[PP_SHA384_BYTES])
{
    xmlParserCtxt *parser = xmlNewParserCtxt();
    xmlDoc *doc = NULL;

    PP_CHECK(parser != NULL, PP_E_NO_MEMORY, 0);
    /* The encoding is given, so that none that the text may claim counts. */
    doc = xmlCtxtReadMemory(parser, (const char *)xml.at, (int)xml.len, NULL, "UTF-8",
                            XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
    pp_res r = doc == NULL ? refuse(&rim->problem, "XML", "a well-formed document", PP_STR(""))
                           : read_document(doc, rim, s, ret_digest);
    xmlFreeDoc(doc);
    xmlFreeParserCtxt(parser);
    return r;
}

pp_res rim_xml_read(struct pp_span xml, struct pp_rim *rim, struct rim_signature *ret,
                    uint8_t ret_digest[PP_SHA384_BYTES])
{
    PP_TRY(scan(xml, &rim->problem));
    xmlInitParser();
    /* A library that writes to standard error when it dislikes its input: not here. */
    xmlStructuredErrorFunc before = xmlStructuredError;
    void *before_ctx = xmlStructuredErrorContext;
    xmlSetStructuredErrorFunc(NULL, say_nothing);
    pp_res r = parse(xml, rim, ret, ret_digest);
    xmlResetLastError();
    xmlSetStructuredErrorFunc(before_ctx, before);
    return r;
}
