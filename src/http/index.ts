/** The gateway as a Hono app, and HTTP messages for its runtimes. */
export { type AppOptions, createApp, type RequestHead } from './app.ts'
export { type ByteBudget, createBodyBudget, createReplyBudget } from './byte-budget.ts'
export { type ByteSource, streamSource } from './byte-source.ts'
export { readLimited } from './read-limited.ts'
export { readReply } from './read-reply.ts'
export { createRejectionLog } from './rejection-log.ts'
export { answerHeaders, toResponse } from './respond.ts'
