/*
 * Inside soap/ only: the names that the question and the answer of ITI-45 share.
 */
#ifndef SOAP_PIX_PARTS_H
#define SOAP_PIX_PARTS_H

#include "soap/pix.h"
#include "soap/xcpd_parts.h"

#define PIX_QUERY_ELEMENT  "PRPA_IN201309UV02"
#define PIX_ANSWER_ELEMENT "PRPA_IN201310UV02"
#define PIX_PATIENT        "patientIdentifier"
#define PIX_SOURCE         "dataSource"

#endif
