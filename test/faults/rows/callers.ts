/** The rows of part D: hostile callers. */
import type { Row } from '../row.ts'
import { acceptLatency } from './accept-latency.ts'
import { bodyLimits } from './body-limits.ts'
import { canaries } from './canaries.ts'
import { connectionFlood } from './connection-flood.ts'
import { copiedValues } from './copied-values.ts'
import { fuzzedBodies } from './fuzzed-bodies.ts'
import { guardedRoutes } from './guarded-routes.ts'
import { hostileKeyRow } from './hostile-keys.ts'
import { isolation } from './isolation.ts'
import { jsonBombs } from './json-bombs.ts'
import { logFlood } from './log-flood.ts'
import { loops } from './loops.ts'
import { malformedHttp } from './malformed-http.ts'
import { overload } from './overload.ts'
import { poisonedHeaders } from './poisoned-headers.ts'
import { privateAddresses } from './private-addresses.ts'
import { rebinding } from './rebinding.ts'
import { redos } from './regular-expressions.ts'
import { replay } from './replay.ts'
import { signatures } from './signatures.ts'
import { slowBodies, slowHeaders, slowReaders } from './slow-callers.ts'
import { tokenGuessing } from './token-guessing.ts'

export const callers: readonly Row[] = [
	...[connectionFlood, slowHeaders, slowBodies, slowReaders, overload, acceptLatency, malformedHttp],
	...[fuzzedBodies, jsonBombs, hostileKeyRow, bodyLimits, tokenGuessing, signatures, replay],
	...[poisonedHeaders, copiedValues, privateAddresses, rebinding, loops, isolation],
	...[canaries, guardedRoutes, redos, logFlood],
]
