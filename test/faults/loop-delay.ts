/** Preloaded into a process: tells on standard error, twice a second, for how long its event loop kept others waiting. */
import { monitorEventLoopDelay } from 'node:perf_hooks'

const delay = monitorEventLoopDelay({ resolution: 1 })
delay.enable()
setInterval(() => {
	console.error(`loop p99 ${(delay.percentile(99) / 1e6).toFixed(1)} ms`)
	delay.reset()
}, 500).unref()
