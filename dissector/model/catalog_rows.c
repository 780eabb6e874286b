/* SPDX-License-Identifier: GPL-2.0-or-later
 * catalog_rows.c - the built-in catalogue: numbers to rows.
 *
 * In: the generated numbers and text. Out: rows of a catalogue. State: none. */
#include "model/catalog_rows.h"

/* clang-format off */
#define KIND(type) _Generic(*(type *)NULL, const char *: CCM_MEMBER_TEXT, \
    ccm_span: CCM_MEMBER_SPAN, int16_t: CCM_MEMBER_I16, uint16_t: CCM_MEMBER_U16, \
    uint8_t: CCM_MEMBER_U8, bool: CCM_MEMBER_BOOL, unsigned: CCM_MEMBER_ENUM)
/* clang-format on */
#define ROLE(type, name) { offsetof(ccm_role_row, name), KIND(type) },
#define ROUTE(type, name) { offsetof(ccm_route_row, name), KIND(type) },
#define PORT(type, name) { offsetof(ccm_port_row, name), KIND(type) },
#define MARK(type, name) { offsetof(ccm_mark, name), KIND(type) },

static const ccm_member roles[] = { CCM_ROLE_ROW(ROLE) }, routes[] = { CCM_ROUTE_ROW(ROUTE) },
                        ports[] = { CCM_PORT_ROW(PORT) }, marks[] = { CCM_MARK(MARK) };

const ccm_row_shape ccm_row_shapes[CCM_ROW_SHAPES] = {
    { offsetof(ccm_catalog, roles), sizeof(ccm_role_row), G_N_ELEMENTS(roles), roles },
    { offsetof(ccm_catalog, routes), sizeof(ccm_route_row), G_N_ELEMENTS(routes), routes },
    { offsetof(ccm_catalog, ports), sizeof(ccm_port_row), G_N_ELEMENTS(ports), ports },
    { offsetof(ccm_catalog, marks), sizeof(ccm_mark), G_N_ELEMENTS(marks), marks },
};

static void set(void *to, unsigned kind, uint32_t number)
{
    const char *text = number ? ccm_catalog_text + number : NULL;

    switch (kind) {
    case CCM_MEMBER_TEXT:
        memcpy(to, &text, sizeof text);
        break;
    case CCM_MEMBER_SPAN:
        if (text)
            *(ccm_span *)to = ccm_span_str(text);
        break;
    case CCM_MEMBER_I16:
    case CCM_MEMBER_U16:
        *(uint16_t *)to = (uint16_t)number;
        break;
    case CCM_MEMBER_ENUM:
        memcpy(to, &number, sizeof number);
        break;
    default:
        *(uint8_t *)to = (uint8_t)number;
    }
}

void ccm_catalog_unpack(ccm_catalog *c)
{
    const uint32_t *number = ccm_catalog_numbers;

    for (unsigned s = 0; s < CCM_ROW_SHAPES; s++) {
        const ccm_row_shape *shape = &ccm_row_shapes[s];
        GArray *rows = ccm_rows_of(c, shape);
        unsigned n = *number++;
        g_array_set_size(rows, n); /* zeroed: catalog_new asks for it */
        for (unsigned i = 0; i < n; i++)
            for (unsigned m = 0; m < shape->n; m++)
                set(rows->data + (size_t)i * shape->size + shape->member[m].at,
                    shape->member[m].kind, *number++);
    }
}
