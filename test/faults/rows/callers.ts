/** The rows of part D: hostile callers. */
import type { Row } from '../row.ts'
import { acceptLatency } from './accept-latency.ts'
import { canaries } from './canaries.ts'
import { fuzzedBodies } from './fuzzed-bodies.ts'
import { isolation } from './isolation.ts'
import { loops } from './loops.ts'
import { overload } from './overload.ts'
import { privateAddresses } from './private-addresses.ts'
import { rebinding } from './rebinding.ts'
import { redos } from './regular-expressions.ts'

export const callers: readonly Row[] = [
	overload,
	acceptLatency,
	fuzzedBodies,
	canaries,
	redos,
	privateAddresses,
	rebinding,
	loops,
	isolation,
]
