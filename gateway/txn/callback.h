/*
 * Answers that come as messages of their own, on SOAP_REPLY_PATH of the network listener: proven as
 * any message of a partner, and taken once, from the partner that was asked, while its question
 * waits; anything else is refused with a fault, and recorded. The answer is durable (store/
 * pending.h), and so is its record, before the partner is told (HTTP 202); then who waits for it is
 * told. Started by inbound_start; steps run on workers.
 */
#ifndef TXN_CALLBACK_H
#define TXN_CALLBACK_H

#include "txn/inbound.h"

bool callback_is_for(const struct inbound_request *request);
extern const struct txn_table callback_table;

#endif
