/** The rows of part D: hostile callers. */
import type { Row } from '../row.ts'
import { acceptLatency } from './accept-latency.ts'
import { canaries } from './canaries.ts'
import { fuzzedBodies } from './fuzzed-bodies.ts'
import { hostileKeyRow } from './hostile-keys.ts'
import { jsonBombs } from './json-bombs.ts'
import { malformedHttp } from './malformed-http.ts'
import { overload } from './overload.ts'
import { redos } from './regular-expressions.ts'
import { tokenGuessing } from './token-guessing.ts'

export const callers: readonly Row[] = [
	...[overload, acceptLatency, malformedHttp, fuzzedBodies, jsonBombs, hostileKeyRow, tokenGuessing, canaries, redos],
]
