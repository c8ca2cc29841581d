/** The file keeps what every store promises. */
import { deliverySuite } from './delivery-suite.ts'
import { fileKind } from './file-kind.ts'
import { gatewaySuite } from './gateway-suite.ts'
import { storeSuite } from './store-suite.ts'

storeSuite(fileKind)
deliverySuite(fileKind)
gatewaySuite(fileKind)
