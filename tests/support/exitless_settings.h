/* SPDX-License-Identifier: MIT */
/* For a guest on a thread of its own: its doorbell reaches the host directly.
 */
#ifndef EXITLESS_SETTINGS_H
#define EXITLESS_SETTINGS_H

#define GT_DOORBELL exitless_doorbell

#endif
