/* SPDX-License-Identifier: GPL-2.0-or-later
 * xml.h - a pull scanner over the XML of a message: UTF-8 text in, events out. It checks nothing
 * that a reader of damaged captures can do without: names of end tags are not compared. Document
 * types are skipped, nothing is expanded and nothing is fetched. */
#ifndef CCM_PROTO_XML_H
#define CCM_PROTO_XML_H

#include "base/cursor.h"

typedef enum ccm_xml_event {
    CCM_XML_END,   /* of the text, of what can be read of it, or too deep */
    CCM_XML_OPEN,  /* start tag: name, attrs, depth (the root has 1) */
    CCM_XML_CLOSE, /* end tag, or behind the OPEN of an empty element: depth it had */
    CCM_XML_TEXT,  /* text of the element at `depth`; white space alone is left out */
} ccm_xml_event;

enum { CCM_XML_DEPTH = 64 };

/* Begin with ccm_xml_of. All spans point into the text. */
typedef struct ccm_xml {
    const uint8_t *p, *end;
    ccm_span name, attrs; /* of OPEN; `attrs` is what stands behind the name */
    ccm_span text;        /* of TEXT */
    unsigned depth;
    bool raw;     /* `text` has no entities to be replaced, as CDATA */
    bool cut;     /* the text ended inside a tag or a value */
    bool closing; /* the last OPEN was an empty element */
    bool leave;   /* the last event was a CLOSE */
} ccm_xml;

static inline ccm_xml ccm_xml_of(ccm_span text)
{
    return text.n ? (ccm_xml){ .p = text.p, .end = text.p + text.n } : (ccm_xml){ 0 };
}

/* A TEXT that the end of the input cut short is not reported: half a value is a wrong value. */
ccm_xml_event ccm_xml_next(ccm_xml *x);
/* Behind OPEN, saves two events where the element surely holds a text at most: moves behind its end
 * tag, as after its CLOSE, with `text`, perhaps empty, and `raw` set. False: go on with events. */
bool ccm_xml_leaf(ccm_xml *x);
/* Takes the next attribute off `attrs`; false at the end. Entities are still there. */
bool ccm_xml_attribute(ccm_span *attrs, ccm_span *name, ccm_span *value);
/* Value of the attribute `name`, or an empty span. */
ccm_span ccm_xml_get(ccm_span attrs, const char *name);
/* Replaces the five predefined entities and character references; returns the bytes written. An
 * unknown entity stays as it is. */
size_t ccm_xml_unescape(ccm_span in, uint8_t *out, size_t room);

enum { CCM_XML_ROOM = 1024 };

/* Memory for the values of one text that have entities; `used` is 0 to begin. */
typedef struct ccm_xml_room {
    unsigned used; /* of `scratch` */
    uint8_t scratch[CCM_XML_ROOM];
} ccm_xml_room;

/* The value without entities: itself, a copy in `room`, or empty where that has no space for all of
 * it, since half a value is a wrong value. */
ccm_span ccm_xml_plain(ccm_xml_room *room, ccm_span raw);

static inline __attribute__((always_inline)) bool ccm_span_is(ccm_span s, const char *literal)
{
    size_t n = strlen(literal);
    return s.n == n && !memcmp(s.p, literal, n);
}

/* ccm_span_same of two texts of `n` bytes. */
bool ccm_bytes_same(const uint8_t *p, const char *name, size_t n);

/* The same, but the case of ASCII letters does not matter. */
static inline __attribute__((always_inline)) bool ccm_span_same(ccm_span s, const char *name)
{
    size_t n = strlen(name);
    return s.n == n && ccm_bytes_same(s.p, name, n);
}

/* A decimal number; UINT64_MAX: it is none, or too large. */
uint64_t ccm_span_number(ccm_span s);

#endif
