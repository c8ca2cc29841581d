/** Every row, in the order of the table. */

import { acceptLatency } from './callers/accept-latency.ts'
import { bodyLimits } from './callers/body-limits.ts'
import { canaries } from './callers/canaries.ts'
import { connectionFlood } from './callers/connection-flood.ts'
import { copiedValues } from './callers/copied-values.ts'
import { fuzzedBodies } from './callers/fuzzed-bodies.ts'
import { guardedRoutes } from './callers/guarded-routes.ts'
import { isolation } from './callers/isolation.ts'
import { jsonBombs } from './callers/json-bombs.ts'
import { logFlood } from './callers/log-flood.ts'
import { loops } from './callers/loops.ts'
import { malformedHttp } from './callers/malformed-http.ts'
import { overload } from './callers/overload.ts'
import { poisonedHeaders } from './callers/poisoned-headers.ts'
import { privateAddresses } from './callers/private-addresses.ts'
import { rebinding } from './callers/rebinding.ts'
import { redos } from './callers/regular-expressions.ts'
import { replay } from './callers/replay.ts'
import { reservedKeys } from './callers/reserved-keys.ts'
import { signatures } from './callers/signatures.ts'
import { slowCallers } from './callers/slow-callers.ts'
import { tokenGuessing } from './callers/token-guessing.ts'
import { duplicates } from './delivery/duplicates.ts'
import { order } from './delivery/order.ts'
import { poison } from './delivery/poison.ts'
import { repeats } from './delivery/repeats.ts'
import { schedule } from './delivery/schedule.ts'
import { translations } from './delivery/translations.ts'
import { clock } from './host/clock.ts'
import { diskFails } from './host/disk-fails.ts'
import { diskFull } from './host/disk-full.ts'
import { files } from './host/files.ts'
import { heap } from './host/heap.ts'
import { kills, refusals } from './host/kills.ts'
import { syncing, torn } from './host/power.ts'
import { reload } from './host/reload.ts'
import { restarts, stays } from './host/restarts.ts'
import { slowDisk } from './host/slow-disk.ts'
import { throws } from './host/throws.ts'
import type { Row } from './row.ts'
import { answers } from './upstream/answers.ts'
import { backlog } from './upstream/backlog.ts'
import { blackhole } from './upstream/blackhole.ts'
import { down } from './upstream/down.ts'
import { drip } from './upstream/drip.ts'
import { flapping } from './upstream/flapping.ts'
import { holding } from './upstream/holding.ts'
import { misbehaving } from './upstream/misbehaving.ts'
import { oversized } from './upstream/oversized.ts'
import { retryAfter } from './upstream/retry-after.ts'
import { reuse } from './upstream/reuse.ts'
import { slow } from './upstream/slow.ts'

const upstream: readonly Row[] = [
	...[...answers, down, blackhole, slow, holding, drip, oversized, flapping, retryAfter, reuse, backlog, misbehaving],
]

const host: readonly Row[] = [
	...[
		clock,
		diskFails,
		diskFull,
		files,
		heap,
		kills,
		refusals,
		syncing,
		torn,
		reload,
		restarts,
		stays,
		slowDisk,
		throws,
	],
]

const delivery: readonly Row[] = [duplicates, order, poison, repeats, schedule, translations]

const callers: readonly Row[] = [
	connectionFlood,
	...slowCallers,
	overload,
	acceptLatency,
	malformedHttp,
	fuzzedBodies,
	jsonBombs,
	reservedKeys,
	bodyLimits,
	tokenGuessing,
	signatures,
	replay,
	poisonedHeaders,
	copiedValues,
	privateAddresses,
	rebinding,
	loops,
	isolation,
	canaries,
	guardedRoutes,
	redos,
	logFlood,
]

export const rows: readonly Row[] = [...upstream, ...host, ...delivery, ...callers].toSorted((a, b) =>
	a.id.localeCompare(b.id, 'en', { numeric: true }),
)
