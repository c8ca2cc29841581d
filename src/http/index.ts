/** The gateway as a Hono app. */
export { type AppOptions, createApp } from './app.ts'
export { createRejectionLog } from './rejection-log.ts'
