/* SPDX-License-Identifier: GPL-2.0-or-later
 * exchange_smb.h - a handle of SMB as an exchange. */
#ifndef CCM_MODEL_EXCHANGE_SMB_H
#define CCM_MODEL_EXCHANGE_SMB_H

#include "model/catalog.h"
#include "model/exchange.h"

/* `obs` is an smb_file. `text`, which is overwritten, holds the texts of `x`. */
void ccm_exchange_of_smb(const ccm_catalog *c, const ccm_obs *obs, GString *text, ccm_exchange *x);

#endif
