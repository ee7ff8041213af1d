/*
 * For soapcpp2 (conformance/peers/build): what wsdl2h made of the WSDLs of the test data, the
 * WS-Addressing header of gSOAP's plugin, and the Security header as it is, since another program
 * signed it.
 */
/* clang-format off */
#import "xca.gsoap.h"
#import "wsa5.h"
mutable struct SOAP_ENV__Header { _XML __security; };
/* clang-format on */
