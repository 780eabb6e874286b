/* SPDX-License-Identifier: GPL-2.0-or-later
 * utf16.h - the text encodings of messages, as UTF-8. */
#ifndef CCM_PROTO_UTF16_H
#define CCM_PROTO_UTF16_H

#include "base/cursor.h"

typedef enum ccm_text_form { CCM_TEXT_UTF8, CCM_TEXT_UTF16LE, CCM_TEXT_UTF16BE } ccm_text_form;

/* Told from the byte order mark, else from where the zero of the first character stands. *mark =
 * bytes of the mark. */
ccm_text_form ccm_text_form_of(ccm_span in, size_t *mark);
/* Converts as much as fits; returns the bytes written. A lone surrogate becomes U+FFFD, an odd
 * last byte is left out. 3 bytes of room for 2 of input always suffice. */
size_t ccm_utf16_to_utf8(ccm_span in, bool big_endian, uint8_t *out, size_t room);
/* The text without its mark: `in` itself when it is UTF-8, else converted into `out`. */
ccm_span ccm_text_utf8(ccm_span in, uint8_t *out, size_t room);
/* One character as UTF-8; returns its bytes, 0 when there is no room for them. */
size_t ccm_utf8_put(uint32_t c, uint8_t *out, size_t room);

#endif
