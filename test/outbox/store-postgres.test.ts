/** PostgreSQL keeps what every store of the outbox promises. */
import { describe } from 'vitest'
import { has } from '../tools.ts'
import { deliverySuite } from './delivery-suite.ts'
import { gatewaySuite } from './gateway-suite.ts'
import { postgresKind } from './postgres-kind.ts'
import { serverOfFile } from './postgres-rig.ts'
import { storeSuite } from './store-suite.ts'

describe.skipIf(!has('postgres'))('on a server', () => {
	const kind = postgresKind(serverOfFile())
	storeSuite(kind)
	deliverySuite(kind)
	gatewaySuite(kind)
})
