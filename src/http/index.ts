/** The gateway as a Hono app, and HTTP messages for its runtimes. */
export { type AppOptions, createApp, type RequestHead } from './app.ts'
export { type ByteAccounts, type ByteBudget, createBodyBudget, createReplyBudget } from './byte-budget.ts'
export { type ByteSource, streamSource } from './byte-source.ts'
export { createByteCollector } from './collect-bytes.ts'
export { readLimited } from './read-limited.ts'
export { brokenOff, expectReadable, isBodyRead, readReply, replyText } from './read-reply.ts'
export { createRejectionLog } from './rejection-log.ts'
export { answerHeaders, isBodiless, toResponse } from './respond.ts'
