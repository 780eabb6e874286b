/* SPDX-License-Identifier: GPL-2.0-or-later
 * catalog_rows.h - the shapes of the catalogue's rows, and the built-in catalogue as numbers.
 *
 * In: the row lists of catalog.h. Out: const tables for whoever walks rows without knowing them:
 * catalog/generate.c at build time, ccm_catalog_unpack when the program starts. State: none.
 * Numbers and one text instead of initialised rows: those would be thousands of pointers for the
 * dynamic linker to fill in at each start, wanted or not. */
#ifndef CCM_MODEL_CATALOG_ROWS_H
#define CCM_MODEL_CATALOG_ROWS_H

#include "model/catalog.h"

typedef enum ccm_member_kind {
    CCM_MEMBER_TEXT, /* const char *: where it begins in the text; 0 = NULL */
    CCM_MEMBER_SPAN, /* ccm_span: the same; 0 = empty */
    CCM_MEMBER_I16,
    CCM_MEMBER_U16,
    CCM_MEMBER_U8,
    CCM_MEMBER_BOOL,
    CCM_MEMBER_ENUM,
} ccm_member_kind;

typedef struct ccm_member {
    uint16_t at; /* offset in the row */
    uint16_t kind;
} ccm_member;

typedef struct ccm_row_shape {
    uint16_t array; /* offset of its GArray in ccm_catalog */
    uint16_t size, n;
    const ccm_member *member; /* n of them */
} ccm_row_shape;

enum { CCM_ROW_SHAPES = 4 };
extern const ccm_row_shape ccm_row_shapes[CCM_ROW_SHAPES];

static inline GArray *ccm_rows_of(const ccm_catalog *c, const ccm_row_shape *shape)
{
    GArray *rows;
    memcpy(&rows, (const uint8_t *)c + shape->array, sizeof rows);
    return rows;
}

/* Generated from catalog/.ini: NUL-terminated texts, the first of them empty; and for each shape
 * the number of its rows, then the members of each row. */
extern const char ccm_catalog_text[];
extern const uint32_t ccm_catalog_numbers[];

/* Appends the built-in rows. Their texts are constant. */
void ccm_catalog_unpack(ccm_catalog *c);

#endif
